"""The CDN of Cloudflare: obeys `cache_rules.py`, ends TLS, and turns attacks away before they reach the gateway.

The API's token comes from the environment (CLOUDFLARE_API_TOKEN) or from `cloudflare:apiToken`, encrypted; the provider
reads both itself, so that it never appears here.
"""

import ipaddress
from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_cloudflare as cloudflare

from infra.components.base import Component, Target
from infra.components.edge.cache_rules import RULES

MANAGED_RULESETS: Final = {
    "Cloudflare's own rules": "efb7b8c949ac4650a09736fc376e9aee",
    "the OWASP core rules": "4814384a9e5d4991b9815dcfc25d2f1f",
}
"""The rules of its web application firewall, by the identifiers that are the same in every zone."""

SETTINGS: Final = {
    # To the origin too, whose certificate has to be good.
    "ssl": "strict",
    "min_tls_version": "1.2",
    "tls_1_3": "on",
    "always_use_https": "on",
    # An address of the browser's own cache must mean what the origin has said, for as long as it has said.
    "browser_cache_ttl": 0,
}

_PERIOD: Final = 10
"""Seconds over which requests are counted: the one period that every plan has."""
_PASSWORDS: Final = "/api/v1/auth/"
_LIMITS: Final = {
    # The API counts closer, by account. What comes far more often than a person or a page can is not even let through.
    f'starts_with(http.request.uri.path, "{_PASSWORDS}") and http.request.method eq "POST"': 50,
    'starts_with(http.request.uri.path, "/api/")': 1000,
}


def kept() -> str:
    """The requests whose answers may be kept, in the language of Cloudflare's rules."""
    whole = " ".join(f'"{rule.path}"' for rule in RULES if rule.whole)
    beginnings = [f'starts_with(http.request.uri.path, "{rule.path}")' for rule in RULES if not rule.whole]
    return " or ".join([f"http.request.uri.path in {{{whole}}}", *beginnings])


def cache_rules() -> list[cloudflare.RulesetRuleArgs]:
    """Of those that fit a request, the last says what is done (Cloudflare's documentation, "Order and priority").

    How long an answer is kept it says itself, and one that says nothing is not kept.
    """

    def rule(
        ref: str, description: str, expression: str, what: cloudflare.RulesetRuleActionParametersArgs
    ) -> cloudflare.RulesetRuleArgs:
        return cloudflare.RulesetRuleArgs(
            ref=ref,
            description=description,
            expression=expression,
            action="set_cache_settings",
            action_parameters=what,
        )

    past = cloudflare.RulesetRuleActionParametersArgs(cache=False)
    return [
        rule("nothing", "Nothing is kept", "true", past),
        rule(
            "public",
            "but public answers and static files,",
            kept(),
            cloudflare.RulesetRuleActionParametersArgs(
                cache=True,
                edge_ttl=cloudflare.RulesetRuleActionParametersEdgeTtlArgs(mode="bypass_by_default"),
                browser_ttl=cloudflare.RulesetRuleActionParametersBrowserTtlArgs(mode="respect_origin"),
                serve_stale=cloudflare.RulesetRuleActionParametersServeStaleArgs(disable_stale_while_updating=False),
                respect_strong_etags=True,
            ),
        ),
        rule(
            "authorised",
            "and never for somebody who has logged in (RFC 9111, section 3.5)",
            'any(http.request.headers["authorization"][*] ne "")',
            past,
        ),
    ]


def limits() -> list[cloudflare.RulesetRuleArgs]:
    """How often one address may ask, at each of Cloudflare's sites."""
    return [
        cloudflare.RulesetRuleArgs(
            ref=f"limit-{number}",
            description=f"At most {most} requests in {_PERIOD} s from an address",
            expression=expression,
            action="block",
            ratelimit=cloudflare.RulesetRuleRatelimitArgs(
                characteristics=["ip.src", "cf.colo.id"],
                period=_PERIOD,
                requests_per_period=most,
                mitigation_timeout=_PERIOD,
            ),
        )
        for number, (expression, most) in enumerate(_LIMITS.items(), 1)
    ]


def firewall() -> list[cloudflare.RulesetRuleArgs]:
    """All requests go through the managed rules."""
    return [
        cloudflare.RulesetRuleArgs(
            ref=f"managed-{identifier[:8]}",
            description=f"Run {words}",
            expression="true",
            action="execute",
            action_parameters=cloudflare.RulesetRuleActionParametersArgs(id=identifier),
        )
        for words, identifier in MANAGED_RULESETS.items()
    ]


def _is_address(origin: str) -> bool:
    try:
        ipaddress.ip_address(origin)
    except ValueError:
        return False
    return True


class Cloudflare(Component):
    """The zone's settings and rules, and at last the record that leads users to it.

    Args:
        zone: Cloudflare's identifier.
        hostname: what users open.
        origin: host name or address of the gateway's load balancer.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        zone: str,
        hostname: str,
        origin: str,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        rulesets = {
            "http_request_cache_settings": ("What is kept", cache_rules()),
            "http_ratelimit": ("How often one may ask", limits()),
            "http_request_firewall_managed": ("What is turned away", firewall()),
        }
        ready: list[pulumi.Resource] = [
            cloudflare.Ruleset(
                f"{name}-{phase.replace('_', '-')}",
                zone_id=zone,
                kind="zone",
                phase=phase,
                name=f"{hostname}: {words}",
                rules=rules,
                opts=self.options(),
            )
            for phase, (words, rules) in rulesets.items()
        ]
        ready += [
            cloudflare.ZoneSetting(
                f"{name}-{setting.replace('_', '-')}",
                zone_id=zone,
                setting_id=setting,
                value=value,
                opts=self.options(),
            )
            for setting, value in SETTINGS.items()
        ]
        # What one site has, the others ask it for, rather than the origin.
        ready.append(cloudflare.TieredCache(f"{name}-tiers", zone_id=zone, value="on", opts=self.options()))
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
