"""Routes, Services and network policies of the chart."""

from __future__ import annotations

import json
import subprocess

import pytest

from infra import names
from infra.components.edge.cache_rules import rule_of
from infra.phases import PHASES
from tests.contract.chart import ROOT, STACKS, Manifest, manifests, objects, one, pod_specs, render, values_of

every_stack = pytest.mark.parametrize("stack", STACKS)

# The rules of the application as it is, not as somebody wrote them down.
LIST_RULES = """
import json
from app.bootstrap.container import build, sample_settings
from app.bootstrap.http import create_app
print(json.dumps([rule.rule for rule in create_app(build(sample_settings())).url_map.iter_rules()]))
"""
INTERNAL = {"/metrics"}


@pytest.fixture(scope="module")
def served() -> set[str]:
    """Paths that the API serves, with a parameter as `<name>`."""
    command = [str(ROOT / ".venv" / "app" / "bin" / "python"), "-c", LIST_RULES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def matches(match: Manifest, path: str) -> bool:
    """Tell whether a path matcher of the Gateway API takes a path: prefixes go by whole segments."""
    if match["path"]["type"] == "Exact":
        return path == str(match["path"]["value"])
    prefix = str(match["path"]["value"]).rstrip("/")
    return path == prefix or path.startswith(f"{prefix}/")


def route_rule(found: list[Manifest]) -> Manifest:
    [rule] = one(found, "HTTPRoute")["spec"]["rules"]
    return dict(rule)


def test_the_route_leads_to_what_the_api_serves_and_to_nothing_else(served: set[str]) -> None:
    routed = route_rule(objects("phase2"))["matches"]
    reachable = {path for path in served if any(matches(match, path) for match in routed)}
    assert served - reachable == INTERNAL
    assert [match for match in routed if not any(matches(match, path) for path in served)] == []


def service_at(path: str) -> str:
    """Return the service whose release takes a path in phase 4: an exact match wins, then the longest."""
    found = [
        (match["path"]["type"] == "Exact", len(match["path"]["value"]), service)
        for service in PHASES[4].services
        for rule in one(objects(f"phase4-{service}"), "HTTPRoute")["spec"]["rules"]
        for match in rule["matches"]
        if match.keys() == {"path"} and rule["backendRefs"][0]["name"] != names.EDGE and matches(match, path)
    ]
    return max(found)[2]


@pytest.mark.parametrize("service", PHASES[4].services)
def test_every_path_of_a_service_leads_to_that_service(service: str) -> None:
    contract = json.loads((ROOT / "app" / service / "contracts" / "openapi.v1.json").read_text())
    # Whose file it is stands in the query.
    own = [path for path in contract["paths"] if not path.startswith("/api/v1/files/")]
    assert {path: service_at(path) for path in own} == dict.fromkeys(own, service)


def test_the_probes_and_the_scraper_ask_what_the_api_serves(served: set[str]) -> None:
    template = one(objects("phase2"), "Deployment", "api")["spec"]["template"]
    [container] = template["spec"]["containers"]
    asked = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert asked <= served
    assert template["metadata"]["annotations"]["prometheus.io/path"] in INTERNAL


def test_phase_1_has_no_route() -> None:
    assert "HTTPRoute" not in {manifest["kind"] for manifest in objects("phase1")}


def test_the_route_names_each_listener_of_the_gateway() -> None:
    parents = one(objects("phase2"), "HTTPRoute")["spec"]["parentRefs"]
    assert {(parent["name"], parent["sectionName"]) for parent in parents} == {
        ("task-manager", "http"),
        ("task-manager", "https"),
    }


def test_without_listeners_the_route_attaches_to_the_whole_gateway() -> None:
    gateway = {"name": "edge", "namespace": "edges"}
    spec = one(manifests(render({"route": {"enabled": True, "gateway": gateway}})), "HTTPRoute")["spec"]
    [parent] = spec["parentRefs"]
    assert (parent["name"], parent["namespace"]) == ("edge", "edges")
    assert "sectionName" not in parent
    assert "hostnames" not in spec


def test_the_route_goes_to_the_service_or_to_what_the_values_name() -> None:
    service = one(objects("phase2-round-robin"), "Service")
    [plain] = route_rule(objects("phase2-round-robin"))["backendRefs"]
    assert (plain["kind"], plain["name"]) == ("Service", service["metadata"]["name"])
    assert plain["port"] == service["spec"]["ports"][0]["port"]
    [balanced] = route_rule(objects("phase2"))["backendRefs"]
    assert {key: balanced[key] for key in ("group", "kind", "name")} == values_of("phase2")["route"]["backend"]


def test_cacheable_paths_go_to_the_edge_and_all_others_straight_to_the_api(served: set[str]) -> None:
    to_edge, to_api = one(objects("phase3"), "HTTPRoute")["spec"]["rules"]
    [edge], [api] = to_edge["backendRefs"], to_api["backendRefs"]
    assert (edge["kind"], edge["name"], edge["port"]) == ("Service", names.EDGE, names.EDGE_PORT)
    assert {key: api[key] for key in ("group", "kind", "name")} == values_of("phase3")["route"]["backend"]
    assert to_edge["filters"] == to_api["filters"]
    kept = {path for path in served if any(matches(match, path) for match in to_edge["matches"])}
    assert kept == {path for path in served if rule_of(path)}
    assert served - kept - INTERNAL == {
        path for path in served - kept if any(matches(match, path) for match in to_api["matches"])
    }
    assert [match for match in to_edge["matches"] if match in to_api["matches"]] == [], "it would be anybody's guess"


def test_the_edge_reaches_the_pods_of_the_server() -> None:
    policy = one(objects("phase3"), "NetworkPolicy", "api")["spec"]
    assert {"podSelector": {"matchLabels": names.EDGE_LABELS}} in policy["ingress"][0]["from"]
    pod = one(objects("phase3"), "Deployment", "api")["spec"]["template"]
    assert names.ServiceNames().server_labels.items() <= pod["metadata"]["labels"].items()


def test_filters_come_from_the_values() -> None:
    assert route_rule(objects("phase2"))["filters"] == values_of("phase2")["route"]["filters"]


@every_stack
def test_the_service_finds_the_servers_pods_and_no_others(stack: str) -> None:
    service = one(objects(stack), "Service", "api")["spec"]
    selected = [kind for kind, labels, _ in pod_specs(objects(stack)) if service["selector"].items() <= labels.items()]
    assert selected == ["Deployment"]
    deployment = one(objects(stack), "Deployment", "api")["spec"]
    assert service["selector"] == deployment["selector"]["matchLabels"]
    assert service["ports"][0]["targetPort"] == deployment["template"]["spec"]["containers"][0]["ports"][0]["name"]


def test_phase_1_is_reached_on_a_node_port() -> None:
    service = one(objects("phase1"), "Service")["spec"]
    assert (service["type"], service["ports"][0]["nodePort"]) == ("NodePort", 30080)


def test_the_server_listens_where_its_port_says() -> None:
    [container] = one(objects("phase1"), "Deployment", "api")["spec"]["template"]["spec"]["containers"]
    for variable, port in zip(("APP_PORT", "APP_METRICS_PORT"), container["ports"], strict=True):
        assert {"name": variable, "value": str(port["containerPort"])} in container["env"]


@every_stack
def test_metrics_are_not_routed_from_outside(stack: str) -> None:
    for manifest in objects(stack):
        if manifest["kind"] == "Service":
            assert {port["targetPort"] for port in manifest["spec"]["ports"]} == {"http"}
    rules = one(objects(stack), "NetworkPolicy", "api")["spec"]["ingress"]
    let_in = [peer for rule in rules if {"port": "metrics"} in rule["ports"] for peer in rule["from"]]
    assert let_in == values_of(stack)["networkPolicy"].get("metricsFrom", [])


@every_stack
def test_the_policy_holds_for_every_pod_of_the_release_in_both_directions(stack: str) -> None:
    policy = one(objects(stack), "NetworkPolicy", "api")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    for _, labels, _ in pod_specs(objects(stack)):
        assert policy["podSelector"]["matchLabels"].items() <= labels.items()


@every_stack
def test_pods_are_reached_on_their_port_alone_and_reach_only_listed_peers(stack: str) -> None:
    policy = one(objects(stack), "NetworkPolicy", "api")["spec"]
    http, *metrics = [rule["ports"] for rule in policy["ingress"]]
    assert http == [{"port": "http"}]
    proxies = [{"port": 15090}] if values_of(stack).get("mesh") else []
    assert metrics in ([], [[{"port": "metrics"}, *proxies]])
    assert all(rule.get("to") for rule in policy["egress"])
    dns, _own, *listed = policy["egress"]
    assert {(port["port"], port["protocol"]) for port in dns["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert listed == values_of(stack)["networkPolicy"]["egressTo"]


def test_behind_the_gateway_only_the_gateway_and_the_release_itself_come_in() -> None:
    rule, metrics = one(objects("phase2"), "NetworkPolicy", "api")["spec"]["ingress"]
    own, *listed = rule["from"]
    assert metrics["ports"] == [{"port": "metrics"}]
    assert own["podSelector"]["matchLabels"]["app.kubernetes.io/instance"] == "task-manager"
    assert listed == values_of("phase2")["networkPolicy"]["ingressFrom"]


def test_by_default_only_the_release_itself_comes_in() -> None:
    [rule] = one(manifests(render({})), "NetworkPolicy", "api")["spec"]["ingress"]
    assert len(rule["from"]) == 1


def test_a_node_port_is_open_to_anyone() -> None:
    [rule] = one(objects("phase1"), "NetworkPolicy", "api")["spec"]["ingress"]
    assert "from" not in rule


@pytest.mark.parametrize("stack", STACKS)
def test_the_service_has_an_address_of_each_family_that_the_cluster_has(stack: str) -> None:
    assert one(objects(stack), "Service", "api")["spec"]["ipFamilyPolicy"] == "PreferDualStack"
