"""Cloudflare's rules, each bound to named hosts: other sites of the zone are not touched.

What Cloudflare has for a whole zone alone (minimum TLS version, tiered cache) is not set here, but said by a rule where
one can say it.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import pulumi_cloudflare as cloudflare

from infra.components.edge.cache_rules import RULES

MANAGED_RULESETS: Final = {
    "Cloudflare's own rules": "efb7b8c949ac4650a09736fc376e9aee",
    "the OWASP core rules": "4814384a9e5d4991b9815dcfc25d2f1f",
}
"""The rules of its web application firewall, by the identifiers that are the same in every zone."""


def _set(words: Iterable[str]) -> str:
    """A set of strings in the language of Cloudflare's rules."""
    return "{" + " ".join(f'"{word}"' for word in words) + "}"


_PERIOD: Final = 10
"""Seconds over which requests are counted: the one period that every plan has."""
_PASSWORDS: Final = (
    "/api/v1/auth/login",
    "/api/v1/auth/register",
    "/api/v1/auth/password-reset",
    "/api/v1/auth/password-reset/confirm",
)
_LIMITS: Final = {
    # The API counts closer, by account. What comes far more often than a person or a page can is not even let through.
    # Host and path are what the plan Pro may compare here; the method would need Business.
    f"http.request.uri.path in {_set(_PASSWORDS)}": 50,
    'starts_with(http.request.uri.path, "/api/")': 1000,
}


def for_hosts(hosts: Sequence[str], expression: str = "") -> str:
    """Expression for the requests to these hosts that the other expression, if there is one, is true of."""
    named = f"http.host in {_set(hosts)}"
    return f"{named} and ({expression})" if expression else named


def cacheable_requests() -> str:
    """Expression for the requests whose responses may be cached, in the language of Cloudflare's rules."""
    whole = _set(rule.path for rule in RULES if rule.whole)
    beginnings = [f'starts_with(http.request.uri.path, "{rule.path}")' for rule in RULES if not rule.whole]
    return " or ".join([f"http.request.uri.path in {whole}", *beginnings])


def cache(hosts: Sequence[str]) -> list[cloudflare.RulesetRuleArgs]:
    """Of those that fit a request, the last says what is done (Cloudflare's documentation, "Order and priority").

    How long an answer is kept it says itself, and one that says nothing is not kept.
    """

    def rule(
        ref: str, description: str, expression: str, what: cloudflare.RulesetRuleActionParametersArgs
    ) -> cloudflare.RulesetRuleArgs:
        return cloudflare.RulesetRuleArgs(
            ref=ref,
            description=description,
            expression=for_hosts(hosts, expression),
            action="set_cache_settings",
            action_parameters=what,
        )

    past = cloudflare.RulesetRuleActionParametersArgs(cache=False)
    return [
        rule("nothing", "Nothing is kept", "", past),
        rule(
            "public",
            "but public answers and static files,",
            cacheable_requests(),
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


def rate_limits(hosts: Sequence[str]) -> list[cloudflare.RulesetRuleArgs]:
    """Rate limits by client address, at each of Cloudflare's sites."""
    return [
        cloudflare.RulesetRuleArgs(
            ref=f"limit-{number}",
            description=f"At most {most} requests in {_PERIOD} s from an address",
            expression=for_hosts(hosts, expression),
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


def managed_firewall(hosts: Sequence[str]) -> list[cloudflare.RulesetRuleArgs]:
    """All requests go through the managed rules."""
    return [
        cloudflare.RulesetRuleArgs(
            ref=f"managed-{identifier[:8]}",
            description=f"Run {words}",
            expression=for_hosts(hosts),
            action="execute",
            action_parameters=cloudflare.RulesetRuleActionParametersArgs(id=identifier),
        )
        for words, identifier in MANAGED_RULESETS.items()
    ]


def minimum_tls(hosts: Sequence[str]) -> list[cloudflare.RulesetRuleArgs]:
    """TLS 1.2 or newer: the setting of that name is the whole zone's, or a paid certificate's."""
    return [
        cloudflare.RulesetRuleArgs(
            ref="minimum-tls",
            description="TLS 1.2 or newer",
            expression=for_hosts(hosts, 'cf.tls_version in {"TLSv1" "TLSv1.1"}'),
            action="block",
        )
    ]


def redirect_to_https(hosts: Sequence[str]) -> list[cloudflare.RulesetRuleArgs]:
    """A plain request is sent on to the same address by TLS."""
    return [
        cloudflare.RulesetRuleArgs(
            ref="https",
            description="By TLS alone",
            expression=for_hosts(hosts, "not ssl"),
            action="redirect",
            action_parameters=cloudflare.RulesetRuleActionParametersArgs(
                from_value=cloudflare.RulesetRuleActionParametersFromValueArgs(
                    status_code=301,
                    preserve_query_string=True,
                    target_url=cloudflare.RulesetRuleActionParametersFromValueTargetUrlArgs(
                        expression='concat("https://", http.host, http.request.uri.path)'
                    ),
                )
            ),
        )
    ]


def strict_origin_tls(hosts: Sequence[str]) -> list[cloudflare.RulesetRuleArgs]:
    """TLS to the origin too, whose certificate has to be good."""
    return [
        cloudflare.RulesetRuleArgs(
            ref="strict",
            description="TLS to the origin, with a certificate that is checked",
            expression=for_hosts(hosts),
            action="set_config",
            action_parameters=cloudflare.RulesetRuleActionParametersArgs(ssl="strict"),
        )
    ]


def rulesets(hosts: Sequence[str]) -> dict[str, tuple[str, list[cloudflare.RulesetRuleArgs]]]:
    """Words and rules of each phase's ruleset."""
    return {
        "http_request_cache_settings": ("What is kept", cache(hosts)),
        "http_ratelimit": ("How often one may ask", rate_limits(hosts)),
        "http_request_firewall_managed": ("What is turned away", managed_firewall(hosts)),
        "http_request_firewall_custom": ("Which TLS is old", minimum_tls(hosts)),
        "http_request_dynamic_redirect": ("What is sent on", redirect_to_https(hosts)),
        "http_config_settings": ("How the origin is reached", strict_origin_tls(hosts)),
    }
