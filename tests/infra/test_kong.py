"""Kong as the gateway by setting: where it runs, what is left to it, and what does not go with it."""

from typing import Any

import pulumi
import pytest
import yaml

from infra import names
from infra.config.settings import load_settings
from infra.config.types import GatewayKind
from tests.infra import engine
from tests.infra.engine import Stack
from tests.infra.variants import grown

PHASE2 = {"phase": "2", "hostname": "tasks.example.com"}
KONG = {"gateway.kind": "kong"}


def configured(*parts: dict[str, Any]) -> dict[str, Any]:
    return {f"task-manager:{key}": value for part in parts for key, value in part.items()}


def run(**gateway: str) -> Stack:
    """Phase 2 behind Kong, with these settings of the section `gateway`."""
    return engine.run(configured(PHASE2, KONG, {f"gateway.{key}": value for key, value in gateway.items()}))


# --- settings


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (
            {**KONG, "phase": "4", "mesh.kind": "istio"},
            r"gateway\.kind: Kong has no sidecar.*set it to istio, or task-manager:mesh\.kind to none",
        ),
        (
            {"gateway.token_keys": ["a"]},
            r"gateway\.token_keys: only Kong is given keys: remove it, or set task-manager:gateway\.kind to kong",
        ),
        (
            {**KONG, "gateway.redirect_http": "true", "url_tls": "https://tasks.example.com:8443"},
            r"gateway\.redirect_http: Kong redirects to port 443 alone: remove it, or the port of task-manager:url_tls",
        ),
        ({**KONG, "gateway.node_port": "30092"}, r"gateway\.node_port: is of Istio's gateway"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(config: dict[str, Any], problem: str) -> None:
    with pytest.raises(pulumi.RunError, match=problem) as refused:
        load_settings(engine.as_engine(configured(PHASE2, config)))
    assert "\n" not in str(refused.value)
    assert ";" not in str(refused.value)


def test_behind_kong_phase_4_has_no_mesh() -> None:
    settings = load_settings(engine.as_engine(configured(PHASE2, {**KONG, "phase": "4"})))
    assert (settings.gateway_kind, settings.meshed) == (GatewayKind.KONG, False)


def test_class_namespace_and_ports_are_those_of_its_chart_or_as_set() -> None:
    for stack, wanted in (
        (run(), ("kong", "kong", [80, 443])),
        (
            run(**{"class": "edge", "namespace": "ingress", "port": "8080", "port_tls": "8443"}),
            ("edge", "ingress", [8080, 8443]),
        ),
    ):
        spec = stack.find("Gateway").inputs["spec"]
        ports = [each["port"] for each in spec["listeners"]]
        assert (spec["gatewayClassName"], stack.outputs["gateway_namespace"], ports) == wanted


# --- what is registered


def test_its_namespace_is_let_in_and_no_other(phase4_kong: Stack) -> None:
    for release in phase4_kong.releases:
        spaces = [
            peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            for peer in release.inputs["values"]["networkPolicy"]["ingressFrom"]
            if "namespaceSelector" in peer
        ]
        assert spaces == ["kong"]


def test_nothing_of_another_gateway_is_there(phase4_kong: Stack) -> None:
    assert [each.name for each in phase4_kong.objects if "traefik.io" in each.type or "istio.io" in each.type] == []


def test_its_metrics_are_not_asked_for(phase4_kong: Stack) -> None:
    configuration = yaml.safe_load(phase4_kong.find("ConfigMap", names.PROMETHEUS).inputs["data"]["prometheus.yaml"])
    jobs = {each["job_name"] for each in configuration["scrape_configs"]}
    assert jobs
    assert not jobs & {"gateway", "sidecar"}
    flows = phase4_kong.find("NetworkPolicy", names.PROMETHEUS).inputs["spec"]["egress"]
    assert names.GATEWAY_METRICS_PORT not in [port["port"] for flow in flows for port in flow["ports"]]


def test_the_routes_of_the_services_redirect_and_no_other_does(phase4_kong: Stack) -> None:
    assert not phase4_kong.has("HTTPRoute"), "its paths are shorter than theirs, which take plain requests too"
    for release in phase4_kong.releases:
        route = release.inputs["values"]["route"]
        assert route["gateway"]["sectionNames"] == ["https"]
        assert route["annotations"] == {"konghq.com/https-redirect-status-code": "301"}
    assert "annotations" not in run().values["route"]


def test_tokens_are_checked_by_the_keys_of_the_settings(phase4_kong: Stack) -> None:
    consumer = phase4_kong.find("KongConsumer").inputs
    assert consumer["username"] == consumer["metadata"]["namespace"], "another stack may stand behind the same Kong"
    assert consumer["credentials"] == ["task-manager-token-key-1", "task-manager-token-key-2"]
    assert consumer["metadata"]["annotations"] == {"kubernetes.io/ingress.class": "kong"}
    assert phase4_kong.find("KongPlugin", "task-manager-token").inputs["config"]["key_claim_name"] == "kid"


def test_without_keys_the_services_check_alone() -> None:
    stack = run()
    assert not stack.has("KongConsumer")
    assert "jwt" not in [each.inputs["plugin"] for each in stack.objects if each.kind == "KongPlugin"]
    assert "tokenFilters" not in stack.values["route"]


@pytest.mark.parametrize(
    ("setting", "algorithm"), [("least-loaded", "least-connections"), ("round-robin", "round-robin")]
)
def test_balancing_is_that_of_the_settings(setting: str, algorithm: str) -> None:
    policy = run(load_balancing=setting).find("KongUpstreamPolicy").inputs["spec"]
    assert policy["algorithm"] == algorithm


def test_a_pod_that_is_left_out_is_probed_until_it_is_well(phase4_kong: Stack) -> None:
    checks = phase4_kong.find("KongUpstreamPolicy", "task-manager-tasks").inputs["spec"]["healthchecks"]
    assert checks["passive"]["unhealthy"].keys() == {"tcpFailures", "timeouts"}, "answers leave no pod out"
    assert checks["active"]["unhealthy"]["interval"] > 0, "nothing else brings it back"
    assert checks["active"]["healthy"]["successes"] == 1


# --- growth


@pytest.mark.parametrize("recorded", ["kong", "traefik"])
def test_a_stack_that_grows_into_services_keeps_the_gateway_that_it_has(recorded: str) -> None:
    variant = grown(phase=3.0, gateway_kind=recorded, gateway_namespace="edge")
    settings = load_settings(engine.as_engine(variant.config), recorded=variant.deployed)
    assert (settings.gateway_kind, settings.meshed) == (GatewayKind(recorded), False)


def test_the_former_release_is_called_by_a_policy_of_its_own_until_it_goes() -> None:
    variant = grown({"gateway": {"kind": "kong"}}, phase=3.0, gateway_kind="kong")
    stack = engine.run(variant.config, variant.stack, deployed=variant.deployed)
    policies = {each.object_name for each in stack.objects if each.kind == "KongUpstreamPolicy"}
    assert policies == {each.inputs["name"] for each in stack.releases}
