"""Istio's gateway and mesh: what is shipped is what was tried, fits Istio's CRDs, and agrees with the API."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from infra import names
from infra.components.edge import envoy_filters, istio_policies, limits, public_paths
from infra.components.workload import mesh
from local.images import catalogue
from local.tools import go_tools
from tests.contract.chart import ROOT, Manifest, manifests, one, pod_specs, render, values_of
from tests.contract.routes import operations, takes
from tests.infra import engine
from tests.infra.schemas import strict

TRIED = ROOT / "tests" / "data" / "mesh"
CONFIG = {
    **engine.stack_file("phase4"),
    "task-manager:mesh.kind": "istio",
    "task-manager:gateway.node_port": "30092",
    "task-manager:gateway.node_port_tls": "30445",
}
SERVICES = ("auth", "tasks", "notifications", "analytics")


@pytest.fixture(scope="module")
def stack() -> engine.Stack:
    return engine.run(CONFIG, "phase4")


def tried(name: str, kind: str) -> Manifest:
    """The manifest of a kind that `make e2e-mesh` tries."""
    text = (TRIED / f"{name}.yaml").read_text()
    [found] = [each for each in yaml.safe_load_all(re.sub(r"\$\{\w+\}", "x", text)) if each["kind"] == kind]
    return dict(found)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each leaf with its path; elements of lists by their place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{place}]")
    else:
        yield path, value


def differences(shipped: Any, manifest: Any) -> set[str]:
    """The last key of each leaf that only one of them has, or that differs."""
    return {path.rpartition(".")[2] for path, _ in set(leaves(shipped)) ^ set(leaves(manifest))}


NUMBERS = {"max_tokens", "tokens_per_fill", "fill_interval"}


@pytest.mark.parametrize(
    ("part", "file", "changed"),
    [
        # No headers of the gateway's count, beside those of the API's.
        ("rate-limits", "edge-rate-limit", {*NUMBERS, "stat_prefix", "enable_x_ratelimit_headers"}),
        ("retries", "edge-retries", set()),
        ("body-limit", "edge-body-limit", set()),
        # And another mapper of answers, for 429.
        ("connections", "edge-connections", {"runtime_key", "op", "default_value", "key", "value"}),
    ],
)
def test_envoy_filters_are_those_that_were_tried(stack: engine.Stack, part: str, file: str, changed: set[str]) -> None:
    shipped = stack.find("EnvoyFilter", f"{names.GATEWAY}-{part}").inputs["spec"]["configPatches"]
    assert differences(shipped, tried(file, "EnvoyFilter")["spec"]["configPatches"]) == changed


@pytest.mark.parametrize(
    ("kind", "name", "file", "changed"),
    [
        ("RequestAuthentication", names.GATEWAY, "edge-jwt", {"name", "jwksUri"}),
        ("PeerAuthentication", names.PROJECT, "strict", set()),
        ("DestinationRule", "task-manager-tasks", "edge-retries", {
            *("host", "simple", "maxConnections", "http1MaxPendingRequests", "http2MaxRequests"),
        }),
    ],
)  # fmt: skip
def test_policies_are_those_that_were_tried(
    stack: engine.Stack, kind: str, name: str, file: str, changed: set[str]
) -> None:
    assert differences(stack.find(kind, name).inputs["spec"], tried(file, kind)["spec"]) == changed


def test_the_policies_of_flows_are_of_the_form_that_was_tried(stack: engine.Stack) -> None:
    for name, file in ((names.GATEWAY, "edge-jwt"), ("task-manager-tasks", "strict")):
        shipped = stack.find("AuthorizationPolicy", name).inputs["spec"]
        manifest = tried(file, "AuthorizationPolicy")["spec"]
        assert shipped["action"] == manifest["action"]
        fields = {re.sub(r"\[\d+\]", "[]", path) for path, _ in leaves(manifest["rules"])}
        assert fields <= {re.sub(r"\[\d+\]", "[]", path) for path, _ in leaves(shipped["rules"])}


def test_what_istiod_merges_into_the_gateways_objects_was_tried(stack: engine.Stack) -> None:
    shipped = stack.find("ConfigMap", names.ISTIO_GATEWAY).inputs["data"]
    manifest = tried("gateway", "ConfigMap")["data"]
    added = {"cpu", "memory", "name", "topologyKey", "maxSkew", "whenUnsatisfiable", "io/gateway-name", "type"}
    for part, content in manifest.items():
        found = differences(yaml.safe_load(shipped[part]), yaml.safe_load(content))
        assert found <= {*added, "io/config", "io/scrape", "nodePort"}, part
    pods = yaml.safe_load(shipped["deployment"])["spec"]["template"]
    proxy = yaml.safe_load(pods["metadata"]["annotations"]["proxy.istio.io/config"])
    assert set(proxy) == {"gatewayTopology", "terminationDrainDuration"}


@functools.cache
def schemas() -> dict[tuple[str, str], Any]:
    """Istio's, by kind and version of the API."""
    folder = go_tools.module_source(*catalogue.ISTIO_MODULE) / "manifests" / "charts" / "base" / "files"
    return {
        (crd["spec"]["names"]["kind"], f"{crd['spec']['group']}/{version['name']}"): version["schema"][
            "openAPIV3Schema"
        ]
        for crd in yaml.safe_load_all((folder / "crd-all.gen.yaml").read_text())
        if crd
        for version in crd["spec"]["versions"]
    }


def test_every_object_of_istios_fits_its_crd(stack: engine.Stack) -> None:
    found = [each for each in stack.objects if "istio.io" in each.inputs.get("apiVersion", "")]
    assert {each.kind for each in found} == {
        *("EnvoyFilter", "RequestAuthentication", "AuthorizationPolicy", "PeerAuthentication", "DestinationRule"),
    }
    for each in found:
        schema = schemas()[each.kind, each.inputs["apiVersion"]]["properties"]["spec"]
        jsonschema.validate(each.inputs["spec"], strict(schema))


def test_the_port_of_envoys_metrics_has_the_name_that_istio_gives_it() -> None:
    files = go_tools.module_source(*catalogue.ISTIO_MODULE) / "manifests/charts/istio-control/istio-discovery/files"
    for template in ("kube-gateway.yaml", "injection-template.yaml"):
        text = (files / template).read_text()
        assert f"name: {names.PROXY_METRICS_PORT_NAME}" in text
        assert f"containerPort: {names.PROXY_METRICS_PORT}" in text


# --- the API


def is_public(path: str) -> bool:
    """Whether the gateway lets a path through without a token."""
    return any(
        path.startswith(each.removesuffix("*")) if each.endswith("/*") else path == each
        for each in public_paths.PUBLIC_PATHS
    )


def test_the_gateway_asks_for_a_token_where_the_api_does() -> None:
    for service in SERVICES:
        for method, path, operation in operations(service):
            assert is_public(path) is ("security" not in operation), f"{method} {path}"


LIST = """
import json
from app.bootstrap.container import build, sample_settings
from app.bootstrap.http import create_app
from app.core.http import json_body
from app.core.security import tokens
from app.core.settings import Settings
print(json.dumps({
    "paths": [rule.rule for rule in create_app(build(sample_settings())).url_map.iter_rules()],
    "limit": Settings.model_fields["rate_limit"].default,
    "body": json_body.LIMIT,
    "issuer": tokens.ISSUER,
    "audience": tokens.AUDIENCE,
}))
"""


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    """Paths and numbers of the application as it is."""
    command = [str(ROOT / ".venv" / "app" / "bin" / "python"), "-c", LIST]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_public_path_is_one_that_the_api_serves(api: dict[str, Any]) -> None:
    served = [re.sub(r"<.*", "", path) for path in api["paths"]]
    for path in public_paths.PUBLIC_PATHS:
        assert any(each.startswith(path.removesuffix("*")) for each in served) if path.endswith("*") else path in served


def test_what_no_contract_describes_is_public_but_metrics(api: dict[str, Any]) -> None:
    described = {re.sub(r"{.*?}", "<>", path) for service in SERVICES for _, path, _ in operations(service)}
    others = {path for path in api["paths"] if re.sub(r"<.*?>", "<>", path) not in described}
    assert {path for path in others if not is_public(path)} == {"/metrics"}


def test_limits_of_the_gateway_are_those_of_the_api(api: dict[str, Any]) -> None:
    assert api["limit"] == f"{limits.PER_USER} per minute"
    assert api["body"] == limits.MAX_BODY
    assert (api["issuer"], api["audience"]) == (istio_policies.ISSUER, istio_policies.AUDIENCE)
    [patch] = envoy_filters.rate_limits()
    for each in patch["patch"]["value"]["typed_config"]["descriptors"]:
        bucket = each["token_bucket"]
        assert bucket["tokens_per_fill"] * 60 == bucket["max_tokens"]


# --- routes


def routed(service: str) -> list[Manifest]:
    values = values_of(f"phase4-{service}")
    values["route"] = {
        "enabled": True,
        "gateway": {"name": names.GATEWAY},
        "timeouts": {"request": "30s", "files": "4h"},
    }
    rules: list[Manifest] = one(manifests(render(values)), "HTTPRoute")["spec"]["rules"]
    return rules


@pytest.mark.parametrize("service", SERVICES)
def test_files_have_rules_and_a_time_of_their_own(service: str) -> None:
    rules = {rule.get("name", ""): rule for rule in routed(service)}
    matches = {name: rule["matches"] for name, rule in rules.items()}
    assert {name: rule["timeouts"]["request"] for name, rule in rules.items()} == {
        name: "4h" if name else "30s" for name in rules
    }
    for method, path, operation in operations(service):
        [content_type] = (operation.get("requestBody") or {"content": {"": {}}})["content"]
        upload = any(takes(each, method, path, f"{content_type}; x") for each in matches.get("uploads", []))
        assert upload is (content_type == "multipart/form-data"), f"{method} {path}"
        answers = {
            kind for code, each in operation["responses"].items() if code == "200" for kind in each.get("content", {})
        }
        download = any(takes(each, method, path, "") for each in matches.get("downloads", []))
        # Avatars are files of auth, and all others are of tasks; no other service has any yet.
        if answers - {"application/json"} and (service in ("auth", "tasks") or "/files/" not in path):
            assert download, f"{method} {path}"


def test_uploads_bear_the_name_by_which_the_body_limit_leaves_them_out() -> None:
    for service in ("auth", "tasks"):
        assert envoy_filters.UPLOADS in {rule.get("name") for rule in routed(service)}


# --- the chart


def meshed(service: str) -> list[Manifest]:
    return manifests(render(values_of(f"phase4-mesh-{service}"), "phase4"))


@pytest.mark.parametrize("service", ["auth", "tasks"])
def test_servers_and_tests_have_sidecars_and_no_other_pod_has(service: str) -> None:
    for kind, labels, spec in pod_specs(meshed(service)):
        wanted = labels["app.kubernetes.io/component"] in ("api", "smoke")
        assert (labels.get("sidecar.istio.io/inject") == "true") is wanted, kind
        assert spec["automountServiceAccountToken"] is False


def test_a_sidecar_takes_calls_of_services_and_leaves_the_rest_alone() -> None:
    template = one(meshed("tasks"), "Deployment", "api")["spec"]["template"]
    said = template["metadata"]["annotations"]
    traffic = "traffic.sidecar.istio.io/"
    assert said[f"{traffic}includeOutboundIPRanges"] == ""
    assert said[f"{traffic}includeOutboundPorts"] == str(names.API_PORT)
    assert said[f"{traffic}excludeInboundPorts"] == str(names.API_METRICS_PORT)
    assert said["prometheus.istio.io/merge-metrics"] == "false"
    assert said["prometheus.io/port"] == str(names.API_METRICS_PORT)
    assert (said["sidecar.istio.io/proxyCPU"], said["sidecar.istio.io/proxyMemoryLimit"]) == ("25m", "96Mi")


@pytest.mark.parametrize("service", ["auth", "tasks"])
def test_pods_bear_the_accounts_that_the_policies_name(stack: engine.Stack, service: str) -> None:
    objects, own = meshed(service), names.ServiceNames(service)
    accounts = {each["metadata"]["name"] for each in objects if each["kind"] == "ServiceAccount"}
    used = {labels["app.kubernetes.io/component"]: spec["serviceAccountName"] for _, labels, spec in pod_specs(objects)}
    assert used["api"] == own.account
    assert used["smoke"] == own.smoke_account
    assert accounts == {own.account, own.smoke_account}
    selector = stack.find("AuthorizationPolicy", own.release).inputs["spec"]["selector"]["matchLabels"]
    labels = one(objects, "Deployment", "api")["spec"]["template"]["metadata"]["labels"]
    assert selector.items() <= labels.items()
    assert mesh.TRUST_DOMAIN == "cluster.local"


def test_the_autoscaler_counts_the_server_without_its_sidecar() -> None:
    [cpu, *_] = one(meshed("tasks"), "HorizontalPodAutoscaler", "api")["spec"]["metrics"]
    assert (cpu["type"], cpu["containerResource"]["container"]) == ("ContainerResource", "api")
    [worker, *_] = one(meshed("tasks"), "HorizontalPodAutoscaler", "worker")["spec"]["metrics"]
    assert worker["type"] == "Resource"
