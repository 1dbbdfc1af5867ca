"""The CDN of a stack, by the rules of `cache_rules.py`: Varnish in the cluster, Cloudflare, or none."""

from collections.abc import Sequence

import pulumi

from infra import names
from infra.components import network
from infra.components.base import Target
from infra.components.edge.varnish import Edge
from infra.components.edge.varnish_exporter import Exporter
from infra.config.growth import Growth
from infra.config.phase_spec import Cdn
from infra.config.settings import Settings


def _front_end(settings: Settings) -> str:
    """Return the service whose release serves the front end."""
    return names.FRONT_END if settings.row.split and settings.growth is not Growth.MOVE else names.ALL


def cdn(settings: Settings, target: Target, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
    """Register the CDN that the settings name. It comes before the release, whose route leads to it."""
    if settings.cdn_kind is Cdn.EDGE and settings.row.varnish:
        sizes, scraper = settings.row.monitoring, network.scraper(settings)
        return [
            Edge(
                "edge",
                target,
                row=settings.row.varnish,
                origin=names.ServiceNames(_front_end(settings)),
                gateway=network.gateway(settings),
                exporter=Exporter(sizes.exporter, scraper) if sizes and scraper else None,
                after=after,
            )
        ]
    if settings.cdn_kind is Cdn.CLOUDFLARE:
        # The provider's package takes seconds to load.
        from infra.components.edge.cloudflare import Cloudflare

        return [
            Cloudflare(
                "cloudflare",
                target,
                zone=settings.cdn.zone,
                hostname=settings.hostname,
                origin=settings.cdn.origin,
                hosts=settings.cloudflare_hosts(),
                after=after,
            )
        ]
    return []
