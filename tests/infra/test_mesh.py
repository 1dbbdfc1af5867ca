"""Istio's gateway and mesh in phase 4: who calls whom is the same for every policy that says so."""

from typing import Any

import pulumi
import pytest
import yaml

from infra import names
from infra.components.edge.istio_gateway import trusted_proxies
from infra.config.phase_spec import Cdn, Size
from infra.config.settings import load_settings
from infra.config.types import GatewayKind
from infra.names import ServiceNames
from infra.phases import PHASES, phase
from tests.infra import engine
from tests.infra.engine import Stack

SERVICES = tuple(PHASES[4].services)
PHASE4 = {"task-manager:phase": "4", "task-manager:hostname": "tasks.example.com"}


def settings(**more: str) -> Any:
    config = {**PHASE4, **{f"task-manager:{key.replace('__', '.')}": value for key, value in more.items()}}
    return load_settings(engine.as_engine(config))


def values(stack: Stack, service: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.find("Release", ServiceNames(service).release).inputs["values"]
    return found


# --- settings


def test_the_gateway_is_istios_where_the_mesh_is() -> None:
    assert settings(mesh__kind="none").gateway_kind is GatewayKind.TRAEFIK
    assert settings(mesh__kind="none", gateway__kind="istio").gateway_kind is GatewayKind.ISTIO
    meshed = settings()
    assert (meshed.gateway_kind, meshed.cdn_kind) == (GatewayKind.ISTIO, Cdn.NONE)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"phase": "3", "mesh.kind": "istio"}, r"mesh\.kind: phase 3 has no mesh: set it to none"),
        ({"phase": "2", "gateway.kind": "istio"}, r"gateway\.kind: phase 2 has no gateway of Istio's: set it to traef"),
        (
            {"mesh.kind": "istio", "gateway.kind": "traefik"},
            r"gateway\.kind: Traefik has no sidecar.*set it to istio, or task-manager:mesh\.kind to none",
        ),
        (
            {"mesh.kind": "istio", "cdn.kind": "edge"},
            r"cdn\.kind: Varnish has no sidecar.*set it to none or cloudflare",
        ),
        (
            {"mesh.kind": "none", "gateway.node_port": "30092"},
            r"gateway\.node_port: is of Istio's gateway: remove it, or set",
        ),
        ({"mesh.kind": "linkerd"}, r"mesh\.kind: 'linkerd'"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(config: dict[str, str], problem: str) -> None:
    config = {**PHASE4, **{f"task-manager:{key}": value for key, value in config.items()}}
    with pytest.raises(pulumi.RunError, match=problem) as refused:
        load_settings(engine.as_engine(config))
    assert "\n" not in str(refused.value)
    assert str(refused.value).count(";") == 0


def test_without_a_mesh_there_is_nothing_of_it(phase4: Stack) -> None:
    istio = ("security.istio.io", "networking.istio.io")
    assert [
        each.name for each in phase4.objects if each.type.startswith(tuple(f"kubernetes:{api}" for api in istio))
    ] == []
    assert "istio-discovery" not in phase4.find("Namespace", "task-manager-phase4").inputs["metadata"]["labels"]
    assert "mesh" not in values(phase4, "tasks")


# --- gateway


def test_the_gateway_has_a_class_and_pods_of_istio(phase4_istio: Stack, phase4: Stack) -> None:
    gateway, former = phase4_istio.find("Gateway"), phase4.find("Gateway")
    assert gateway.urn.replace("phase4-istio", "phase4") == former.urn, "another one would be made beside it"
    assert gateway.inputs["spec"]["gatewayClassName"] == "istio"
    assert [each["port"] for each in gateway.inputs["spec"]["listeners"]] == [80, 443]
    reference = gateway.inputs["spec"]["infrastructure"]["parametersRef"]
    pods = phase4_istio.find("ConfigMap", reference["name"])
    assert any("gateway-pods" in each for each in gateway.dependencies)
    deployment = yaml.safe_load(pods.inputs["data"]["deployment"])["spec"]
    row = phase(4, Size.SMALL).mesh
    assert row
    assert deployment["replicas"] == row.gateways == 2
    [container] = deployment["template"]["spec"]["containers"]
    assert container == {"name": "istio-proxy", "resources": row.gateway.resources()}
    assert yaml.safe_load(pods.inputs["data"]["podDisruptionBudget"]) == {"spec": {"maxUnavailable": 1}}


def test_without_node_ports_its_class_says_what_the_service_of_the_gateway_is() -> None:
    stack = engine.run({**PHASE4, "task-manager:gateway": {"kind": "istio"}})
    assert "service" not in stack.find("ConfigMap", names.ISTIO_GATEWAY).inputs["data"]


@pytest.mark.parametrize(
    ("more", "namespace"),
    [
        ({}, "task-manager-test"),
        ({"mesh.kind": "none", "gateway.kind": "istio"}, "task-manager-test"),
        ({"mesh.kind": "none", "gateway.namespace": "edge"}, "edge"),
    ],
)
def test_the_outputs_say_where_the_gateways_service_is(more: dict[str, str], namespace: str) -> None:
    config = {**PHASE4, **{f"task-manager:{key}": value for key, value in more.items()}}
    assert engine.run(config).outputs["gateway_namespace"] == namespace


def test_node_ports_of_the_gateway_can_be_set() -> None:
    config = {**PHASE4, "task-manager:gateway": {"kind": "istio", "node_port": 30092, "node_port_tls": 30445}}
    data = engine.run(config).find("ConfigMap", names.ISTIO_GATEWAY).inputs["data"]
    service = yaml.safe_load(data["service"])["spec"]
    assert service["type"] == "NodePort"
    assert service["ports"] == [
        {"name": "http", "port": 80, "nodePort": 30092},
        {"name": "https", "port": 443, "nodePort": 30445},
    ]


@pytest.mark.parametrize(
    ("more", "proxies"),
    [
        ({}, 0),
        ({"gateway__trusted_hops": "0"}, 0),
        ({"gateway__trusted_hops": "3"}, 2),
        ({"cdn__kind": "cloudflare", "cdn__zone": "0" * 32, "cdn__origin": "192.0.2.1"}, 1),
    ],
)
def test_the_gateway_believes_the_proxies_that_the_api_does_but_itself(more: dict[str, str], proxies: int) -> None:
    assert trusted_proxies(settings(mesh__kind="istio", **more)) == proxies


def test_tokens_are_verified_by_the_keys_of_auth(phase4_istio: Stack) -> None:
    [rule] = phase4_istio.find("RequestAuthentication").inputs["spec"]["jwtRules"]
    namespace = "task-manager-phase4-istio"
    assert rule["jwksUri"] == f"http://task-manager-auth.{namespace}.svc.cluster.local:8000/.well-known/jwks.json"
    filters = phase4_istio.find("EnvoyFilter", "task-manager-token-keys").inputs["spec"]["configPatches"]
    provider = filters[0]["patch"]["value"]["typed_config"]["providers"]["origins-0"]
    assert provider["remote_jwks"]["http_uri"]["uri"] == rule["jwksUri"]
    assert (
        provider["remote_jwks"]["http_uri"]["cluster"]
        == f"outbound|8000||task-manager-auth.{namespace}.svc.cluster.local"
    )
    assert (provider["issuer"], provider["audiences"]) == (rule["issuer"], rule["audiences"])


def test_every_policy_of_the_gateway_is_for_it_alone(phase4_istio: Stack) -> None:
    kinds = ("EnvoyFilter", "RequestAuthentication")
    found = [each for each in phase4_istio.objects if each.kind in kinds]
    assert len(found) == 6
    gateway = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": names.GATEWAY}]
    assert all(each.inputs["spec"]["targetRefs"] == gateway for each in found)


def test_each_service_has_a_pool_of_connections_as_large_as_its_pods_can_use(phase4_istio: Stack) -> None:
    for name in SERVICES:
        rule = phase4_istio.find("DestinationRule", ServiceNames(name).release).inputs["spec"]
        assert rule["host"] == f"{ServiceNames(name).release}.task-manager-phase4-istio.svc.cluster.local"
        api = phase(4, Size.SMALL).services[name].api
        assert rule["trafficPolicy"]["connectionPool"]["http"]["http2MaxRequests"] >= api.max_replicas * api.threads
        assert rule["trafficPolicy"]["loadBalancer"] == {"simple": "LEAST_REQUEST"}
    config = {**PHASE4, "task-manager:gateway": {"kind": "istio", "load_balancing": "round-robin"}}
    assert {
        each.inputs["spec"]["trafficPolicy"]["loadBalancer"]["simple"]
        for each in engine.run(config).objects
        if each.kind == "DestinationRule"
    } == {"ROUND_ROBIN"}


def test_routes_refer_to_nothing_of_traefiks(phase4_istio: Stack) -> None:
    assert not [each.name for each in phase4_istio.objects if each.kind in ("Middleware", "TraefikService")]
    for name in SERVICES:
        route = values(phase4_istio, name)["route"]
        assert {"filters", "backend", "edge"} & set(route) == set()
        assert route["timeouts"] == {"request": "30s", "files": "4h"}


def test_with_acme_the_challenge_passes_the_gateway_without_a_token() -> None:
    config = {**PHASE4, "task-manager:gateway": {"kind": "istio", "certificate": "acme"}}
    stack = engine.run(config)
    [public, _] = stack.find("AuthorizationPolicy", names.GATEWAY).inputs["spec"]["rules"]
    assert "/.well-known/acme-challenge/*" in public["to"][0]["operation"]["paths"]
    solver = stack.find("NetworkPolicy", "task-manager-acme-solver").inputs["spec"]
    assert solver["ingress"][0]["from"] == [{"podSelector": {"matchLabels": names.ISTIO_GATEWAY_LABELS}}]


# --- mesh


def test_plain_text_is_refused_and_so_is_whoever_no_policy_names(phase4_istio: Stack) -> None:
    assert phase4_istio.find("PeerAuthentication").inputs["spec"] == {"mtls": {"mode": "STRICT"}}
    assert phase4_istio.find("AuthorizationPolicy", "default-deny").inputs["spec"] == {}
    namespace = phase4_istio.find("Namespace", "task-manager-phase4-istio").inputs["metadata"]["labels"]
    assert namespace["istio-discovery"] == "enabled"
    assert "istio-injection" not in namespace, "databases and the like would get sidecars"


def test_releases_come_after_the_policies_of_the_mesh(phase4_istio: Stack) -> None:
    for release in phase4_istio.releases:
        assert any("::mesh-flows" in each for each in release.dependencies), release.name


def allowed(stack: Stack, service: str) -> dict[str, list[str]]:
    """The paths that each ServiceAccount may ask a service for; none for all of them."""
    policy = stack.find("AuthorizationPolicy", ServiceNames(service).release).inputs["spec"]
    assert policy["selector"]["matchLabels"] == ServiceNames(service).server_labels
    prefix = "cluster.local/ns/task-manager-phase4-istio/sa/"
    found = {}
    for rule in policy["rules"]:
        [operation] = [each["operation"] for each in rule["to"]]
        assert operation["ports"] == ["8000"]
        for principal in rule["from"][0]["source"]["principals"]:
            assert principal.startswith(prefix)
            found[principal.removeprefix(prefix)] = operation.get("paths", [])
    return found


@pytest.mark.parametrize("service", [each for each in SERVICES if each != "auth"])
def test_a_service_is_called_by_the_gateway_and_its_own_test_alone(phase4_istio: Stack, service: str) -> None:
    own = ServiceNames(service)
    assert allowed(phase4_istio, service) == {names.ISTIO_GATEWAY: [], own.smoke_account: []}


def test_services_ask_auth_for_its_keys_and_for_nothing_else(phase4_istio: Stack) -> None:
    others = {ServiceNames(each).release: [names.KEYS_PATH] for each in SERVICES if each != "auth"}
    tests: dict[str, list[str]] = {ServiceNames(each).smoke_account: [] for each in SERVICES}
    assert allowed(phase4_istio, "auth") == {names.ISTIO_GATEWAY: [], **others, **tests}


def test_prometheus_scrapes_sidecars_and_the_gateway(phase4_istio: Stack) -> None:
    config = yaml.safe_load(phase4_istio.find("ConfigMap", names.PROMETHEUS).inputs["data"]["prometheus.yaml"])
    jobs = {each["job_name"]: each for each in config["scrape_configs"]}
    for job in ("gateway", "sidecar"):
        assert jobs[job]["metrics_path"] == "/stats/prometheus"
        assert jobs[job]["kubernetes_sd_configs"][0]["namespaces"] == {"own_namespace": True}
    assert "prometheus-gateway-role" not in {each.name for each in phase4_istio.objects}
