"""The CDN: one rule table (`infra/edge_rules.py`), two makers, a Job that has them drop what a release has changed."""

from collections.abc import Sequence

import pulumi

from infra import names
from infra.components.base import Target
from infra.components.edge import Edge
from infra.components.edge_exporter import Exporter
from infra.components.image_job import SECRETS, Command, ImageJob
from infra.config import Settings
from infra.edge_rules import RULES
from infra.image import Image
from infra.network import Flow, Peer
from infra.rows import Cdn


def maker(settings: Settings, target: Target, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
    """Make the one that the settings name. It stands before the release, whose route leads to it."""
    if settings.cdn_kind is Cdn.EDGE and settings.row.varnish:
        watching, scraper = settings.row.monitoring, settings.scraper
        return [
            Edge(
                "edge",
                target,
                row=settings.row.varnish,
                gateway_namespace=settings.gateway_namespace,
                exporter=Exporter(watching.exporter, scraper) if watching and scraper else None,
                after=after,
            )
        ]
    if settings.cdn_kind is Cdn.CLOUDFLARE:
        # The provider's package takes seconds to load.
        from infra.components.cloudflare import Cloudflare

        return [
            Cloudflare(
                "cloudflare",
                target,
                zone=settings.cdn_zone,
                hostname=settings.hostname,
                origin=settings.cdn_origin,
                after=after,
            )
        ]
    return []


def purge_command(settings: Settings) -> Command | None:
    """What has the maker drop what a release may have changed: all but files, whose names change with them."""
    match settings.cdn_kind:
        case Cdn.EDGE:
            return Command(
                name=names.PURGE,
                words=["purge-edge", "--server", f"{names.EDGE_PODS}:{names.EDGE_PURGE_PORT}"],
                secret=None,
                outward=(Flow(Peer(names.EDGE_LABELS), (names.EDGE_PURGE_PORT,)),),
            )
        case Cdn.CLOUDFLARE:
            url = f"https://{settings.hostname}"
            return Command(
                name=names.PURGE,
                words=[
                    "purge-cloudflare",
                    *("--zone", settings.cdn_zone),
                    *("--token-file", f"{SECRETS}/{names.CDN_SECRET_KEY}"),
                    *(word for rule in RULES if rule.whole for word in ("--url", url + rule.path)),
                ],
                secret=names.CDN_SECRET,
                outward=(Flow(Peer(anywhere=True), (443,)),),
                optional=True,
            )
        case Cdn.NONE:
            return None


class Purge(ImageJob):
    """A Job that gives that order. After the release: what an old pod has said during the rollout is dropped too."""

    def __init__(
        self, name: str, target: Target, *, command: Command, image: Image, after: Sequence[pulumi.Resource]
    ) -> None:
        super().__init__(name, target, command=command, image=image, after=after)
        self.register_outputs({"job": command.name})
