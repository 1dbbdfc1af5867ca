"""What Cloudflare is asked for, as far as its provider's types and these rules tell. Nothing here speaks to it."""

import re
from typing import Any

import pytest

from infra import names
from infra.components.edge.cache_rules import RULES
from tests.infra import engine
from tests.infra.engine import Resource, Stack

# Its package uses names of its own that it has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pulumi_cloudflare")

ZONE = "0123456789abcdef" * 2
HOST = 'http.host in {"tasks.example.com"}'
CONFIG = {
    **engine.stack_file("phase3"),
    "task-manager:hostname": "tasks.example.com",
    "task-manager:cdn.kind": "cloudflare",
    "task-manager:cdn.zone": ZONE,
    "task-manager:cdn.origin": "192.0.2.10",
}


@pytest.fixture(scope="module")
def stack() -> Stack:
    return engine.run(CONFIG, "cloudflare")


def made(stack: Stack) -> list[Resource]:
    return [resource for resource in stack.objects if resource.type.startswith("cloudflare:")]


def ruleset(stack: Stack, phase: str) -> list[dict[str, Any]]:
    [found] = [resource.inputs for resource in made(stack) if resource.inputs.get("phase") == phase]
    assert found["kind"] == "zone"
    rules: list[dict[str, Any]] = found["rules"]
    assert len({rule["ref"] for rule in rules}) == len(rules)
    return rules


def unquoted(expression: str) -> str:
    return re.sub(r'"[^"]*"', "", expression)


def test_everything_is_made_in_the_zone_of_the_settings(stack: Stack) -> None:
    assert {resource.inputs["zoneId"] for resource in made(stack)} == {ZONE}


def test_the_name_leads_to_cloudflare_only_when_all_rules_are_there(stack: Stack) -> None:
    record = stack.find("DnsRecord")
    assert (record.inputs["name"], record.inputs["content"]) == ("tasks.example.com", "192.0.2.10")
    assert (record.inputs["type"], record.inputs["proxied"], record.inputs["ttl"]) == ("A", True, 1)
    assert {resource.urn for resource in made(stack)} - {record.urn} <= record.dependencies


def test_an_origin_with_a_name_gets_an_alias() -> None:
    stack = engine.run({**CONFIG, "task-manager:cdn.origin": "balancer.example.net"}, "cloudflare")
    assert stack.find("DnsRecord").inputs["type"] == "CNAME"


def test_nothing_is_kept_but_what_the_table_names_and_never_for_somebody_who_has_logged_in(stack: Stack) -> None:
    nothing, public, authorised = ruleset(stack, "http_request_cache_settings")
    # The last rule that fits decides.
    assert (nothing["expression"], nothing["actionParameters"]["cache"]) == (HOST, False)
    assert public["actionParameters"]["cache"] is True
    assert "authorization" in authorised["expression"]
    assert authorised["actionParameters"]["cache"] is False
    assert {rule["action"] for rule in (nothing, public, authorised)} == {"set_cache_settings"}
    whole = re.search(r"http\.request\.uri\.path in \{(.*?)\}", public["expression"])
    assert whole is not None
    assert set(re.findall(r'"(.*?)"', whole[1])) == {rule.path for rule in RULES if rule.whole}
    beginnings = re.findall(r'starts_with\(http\.request\.uri\.path, "(.*?)"\)', public["expression"])
    assert set(beginnings) == {rule.path for rule in RULES if not rule.whole}


def test_how_long_something_is_kept_the_application_says(stack: Stack) -> None:
    _, public, _ = ruleset(stack, "http_request_cache_settings")
    what = public["actionParameters"]
    assert what["edgeTtl"] == {"mode": "bypass_by_default"}
    assert what["browserTtl"] == {"mode": "respect_origin"}
    assert what["serveStale"] == {"disableStaleWhileUpdating": False}


def test_too_many_requests_and_known_attacks_are_turned_away(stack: Stack) -> None:
    for rule in ruleset(stack, "http_ratelimit"):
        assert rule["action"] == "block"
        assert "ip.src" in rule["ratelimit"]["characteristics"]
        assert rule["ratelimit"]["requestsPerPeriod"] > 0
    managed = ruleset(stack, "http_request_firewall_managed")
    assert {rule["action"] for rule in managed} == {"execute"}
    assert all(re.fullmatch(r"[0-9a-f]{32}", rule["actionParameters"]["id"]) for rule in managed)


def test_it_is_tls_1_2_or_newer_on_both_sides_and_plain_requests_are_sent_on(stack: Stack) -> None:
    [old] = ruleset(stack, "http_request_firewall_custom")
    assert (old["action"], old["expression"]) == ("block", f'{HOST} and (cf.tls_version in {{"TLSv1" "TLSv1.1"}})')
    [origin] = ruleset(stack, "http_config_settings")
    assert (origin["action"], origin["actionParameters"]["ssl"]) == ("set_config", "strict")
    [plain] = ruleset(stack, "http_request_dynamic_redirect")
    assert (plain["action"], plain["expression"]) == ("redirect", f"{HOST} and (not ssl)")
    target = plain["actionParameters"]["fromValue"]
    assert target["targetUrl"]["expression"].startswith('concat("https://", http.host')
    assert (target["statusCode"], target["preserveQueryString"]) == (301, True)


def test_every_rule_names_the_host_and_nothing_is_set_for_the_whole_zone(stack: Stack) -> None:
    rulesets = [resource for resource in made(stack) if resource.kind == "Ruleset"]
    expressions = [rule["expression"] for resource in rulesets for rule in resource.inputs["rules"]]
    assert expressions
    # An `or` inside could let other hosts in, so what follows the host stands in brackets.
    assert [text for text in expressions if not re.fullmatch(rf"{re.escape(HOST)}( and \(.*\))?", text)] == []
    assert {resource.kind for resource in made(stack)} == {"Ruleset", "DnsRecord"}


def test_of_two_stacks_in_a_zone_one_holds_the_rules_of_both() -> None:
    first = engine.run({**CONFIG, "task-manager:cdn.zone_hosts": ["staging.example.com"]}, "prod")
    second = engine.run(
        {**CONFIG, "task-manager:hostname": "staging.example.com", "task-manager:cdn.zone_rules": "false"}, "staging"
    )
    assert [(resource.kind, resource.inputs["name"]) for resource in made(second)] == [
        ("DnsRecord", "staging.example.com")
    ]
    rules = [rule for resource in made(first) for rule in resource.inputs.get("rules", ())]
    assert all('http.host in {"tasks.example.com" "staging.example.com"}' in rule["expression"] for rule in rules)
    assert first.find("DnsRecord").inputs["name"] == "tasks.example.com"


def test_rate_limits_compare_what_the_plan_that_knows_hosts_lets_them_compare(stack: Stack) -> None:
    limits = ruleset(stack, "http_ratelimit")
    fields = {field for rule in limits for field in re.findall(r"[a-z_]+(?:\.[a-z_]+)+", unquoted(rule["expression"]))}
    assert fields == {"http.host", "http.request.uri.path"}
    assert len(limits) <= 2, "the plan Pro has no more"


def test_no_token_is_an_input_or_needed_for_a_preview(stack: Stack) -> None:
    assert not [resource for resource in stack.resources if resource.type == "pulumi:providers:cloudflare"]
    assert not [resource.name for resource in made(stack) if "apiToken" in resource.inputs]


def test_what_a_release_changes_is_dropped_after_it_by_a_token_that_is_a_secret_of_the_cluster(stack: Stack) -> None:
    job = stack.find("Job", names.PURGE)
    assert stack.find("Release").urn in job.dependencies
    spec = job.inputs["spec"]["template"]["spec"]
    [container] = spec["containers"]
    assert container["command"][-1] == "purge-cloudflare"
    urls = {word for word in container["args"] if word.startswith("https://")}
    assert urls == {f"https://tasks.example.com{rule.path}" for rule in RULES if rule.whole}
    assert len(urls) <= 30, "Cloudflare takes no more at once"
    [volume] = spec["volumes"]
    assert volume["secret"]["secretName"] == names.CDN_SECRET


def test_the_application_believes_both_proxies(stack: Stack) -> None:
    assert stack.values["env"]["APP_TRUSTED_HOPS"] == "2"
    assert "edge" not in stack.values["route"]
