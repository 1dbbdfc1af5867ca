"""The CDN of Cloudflare: caches by `cache_rules.py`, ends TLS, and turns attacks away before they reach the gateway.

The API's token comes from the environment (CLOUDFLARE_API_TOKEN) or from `cloudflare:apiToken`, encrypted; the provider
reads both itself, so that it never appears here.
"""

import ipaddress
from collections.abc import Sequence

import pulumi
import pulumi_cloudflare as cloudflare

from infra.components.base import Component, Target
from infra.components.edge.cloudflare_rules import rulesets


def _is_address(origin: str) -> bool:
    try:
        ipaddress.ip_address(origin)
    except ValueError:
        return False
    return True


class Cloudflare(Component):
    """The record that leads users to Cloudflare, and before it the zone's rules, where this stack holds them.

    A zone has one ruleset a phase, so two stacks can't each have their own: one holds the rules of all (ADR 44).

    Args:
        zone: Cloudflare's identifier.
        hostname: what users open.
        origin: host name or address of the gateway's load balancer.
        hosts: those that the rules are for; none where another stack holds the zone's rules.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        zone: str,
        hostname: str,
        origin: str,
        hosts: Sequence[str],
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        ready = [
            cloudflare.Ruleset(
                f"{name}-{phase.replace('_', '-')}",
                zone_id=zone,
                kind="zone",
                phase=phase,
                name=f"{hostname}: {words}",
                rules=rules,
                opts=self.options(),
            )
            for phase, (words, rules) in (rulesets(hosts) if hosts else {}).items()
        ]
        cloudflare.DnsRecord(
            f"{name}-record",
            zone_id=zone,
            name=hostname,
            type="A" if _is_address(origin) else "CNAME",
            content=origin,
            proxied=True,
            ttl=1,  # Cloudflare's word for "automatic", the only one for a proxied record
            opts=self.options(*ready),
        )
        self.register_outputs({"hostname": hostname})
