"""Istio's own charts, of the commit that is built here, with the values of infra/platform and of the local cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from infra.platform.addons import AddonSettings, mesh
from infra.platform.clusters.base import ConnectedCluster
from local.cluster import istio
from local.images import catalogue
from local.tools import go_tools
from tests.contract.chart_values import keys

CHARTS = {"istio_base": "base", "istio_cni": "istio-cni", "istiod": "istio-control/istio-discovery"}
# Values that the charts take as a whole.
FREE = {"base", "env", "gatewayClasses", "meshConfig", "resources", "seccompProfile"}
CLUSTER = ConnectedCluster(provider=None, kubeconfig=None, cloud="provided")  # type: ignore[arg-type]
PLATFORM = {addon.key: addon.values(AddonSettings(), CLUSTER) for addon in mesh.ADDONS}
LOCAL = {"istio_base": istio.base_values(), "istiod": istio.control_plane_values(2)}
EVERY = [
    *(pytest.param(key, values, id=f"platform-{key}") for key, values in PLATFORM.items()),
    *(pytest.param(key, values, id=f"local-{key}") for key, values in LOCAL.items()),
]
MESH: dict[str, Any] = yaml.safe_load(mesh.MESH_CONFIGURATION.read_text())


def rendered(key: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    return [found for found in yaml.safe_load_all(istio.manifest(CHARTS[key], key, values)) if found]


def one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    [found] = [each for each in objects if each["kind"] == kind]
    return found


def has(defaults: Any, path: str) -> bool:
    for name in path.split("."):
        if not isinstance(defaults, Mapping) or name not in defaults:
            return False
        defaults = defaults[name]
    return True


@pytest.mark.parametrize(("key", "values"), EVERY)
def test_the_charts_know_each_value_that_is_set(key: str, values: dict[str, Any]) -> None:
    folder = go_tools.module_source(*catalogue.ISTIO_MODULE) / "manifests" / "charts" / CHARTS[key]
    defaults = yaml.safe_load((folder / "values.yaml").read_text())["_internal_defaults_do_not_set"]
    # In the chart's templates, but not among its defaults.
    known = {"global.platform", "base"}
    assert [path for path in keys(values, FREE) if path not in known and not has(defaults, path)] == []


@pytest.mark.parametrize("values", [PLATFORM["istiod"], LOCAL["istiod"]], ids=["platform", "local"])
def test_istiod_is_there_twice_and_keeps_one_through_a_drain(values: dict[str, Any]) -> None:
    objects = rendered("istiod", values)
    deployment = one(objects, "Deployment")["spec"]
    assert deployment["replicas"] == 2
    assert deployment["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
    assert one(objects, "PodDisruptionBudget")["spec"]["minAvailable"] == 1


def test_the_local_cluster_asks_for_its_own_images_and_leaves_out_the_filters_that_stock_envoy_lacks() -> None:
    objects = rendered("istiod", LOCAL["istiod"])
    [container] = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == catalogue.ISTIOD.reference
    variables = {each["name"]: each.get("value") for each in container["env"]}
    assert variables["PILOT_ENABLE_ALPN_FILTER"] == variables["PILOT_ENABLE_METADATA_EXCHANGE"] == "false"
    [values] = [each for each in objects if each["kind"] == "ConfigMap" and each["metadata"]["name"] == "values"]
    proxy = json.loads(values["data"]["merged-values"])["global"]
    assert f"{proxy['hub']}/{proxy['proxy']['image']}:{proxy['tag']}" == catalogue.ISTIO_PROXY.reference
    [configuration] = [each for each in objects if each["metadata"]["name"] == "istio" and each["kind"] == "ConfigMap"]
    providers = yaml.safe_load(configuration["data"]["mesh"]).get("defaultProviders", {})
    assert "metrics" not in providers, "each listener would ask for `istio.stats`"


@pytest.mark.parametrize(
    "name",
    [
        "cluster.outbound|80||tasks.prod.svc.cluster.local;.upstream_rq_5xx",
        "cluster.outbound|80||tasks.prod.svc.cluster.local;.upstream_rq_retry_overflow",
        "cluster.outbound|80||tasks.prod.svc.cluster.local;.upstream_rq_pending_overflow",
        "cluster.outbound|80||tasks.prod.svc.cluster.local;.circuit_breakers.default.rq_open",
        "cluster.outbound|80||tasks.prod.svc.cluster.local;.outlier_detection.ejections_enforced_total",
        "cluster.outbound|80||tasks.prod.svc.cluster.local;.membership_healthy",
        "http.outbound_0.0.0.0_80;.downstream_rq_4xx",
        "http.inbound_0.0.0.0_8000;.downstream_rq_2xx",
        "http.outbound_0.0.0.0_80;.jwt_authn.denied",
        "http.inbound_0.0.0.0_8000;.rbac.denied",
        "edge.http_local_rate_limit.rate_limited",
        "cluster.outbound|80||tasks.prod.svc.cluster.local;.upstream_cx_active",
        "cluster.outbound|80||tasks.prod.svc.cluster.local;.ssl.handshake",
        "listener.0.0.0.0_15006.ssl.fail_verify_no_cert",
        "listener.0.0.0.0_15006.no_filter_chain_match",
    ],
)
def test_proxies_count_what_dashboards_ask_for(name: str) -> None:
    patterns = MESH["defaultConfig"]["proxyStatsMatcher"]["inclusionRegexps"]
    assert len([pattern for pattern in patterns if re.fullmatch(pattern, name)]) == 1


@pytest.mark.parametrize(
    "name",
    [
        "cluster.outbound|80||tasks.prod.svc.cluster.local;.external.upstream_rq_5xx",
        "cluster.outbound|80||tasks.prod.svc.cluster.local;.upstream_rq_503",
        "cluster.outbound|80||tasks.prod.svc.cluster.local;.upstream_cx_rx_bytes_total",
        "cluster.xds-grpc;.upstream_rq_2xx",
    ],
)
def test_proxies_count_nothing_twice_and_nothing_that_nobody_asks_for(name: str) -> None:
    patterns = MESH["defaultConfig"]["proxyStatsMatcher"]["inclusionRegexps"]
    assert not any(re.fullmatch(pattern, name) for pattern in patterns)


def test_the_access_log_is_json_with_ids_and_without_the_query() -> None:
    fields = json.loads(MESH["accessLogFormat"])
    assert MESH["accessLogEncoding"] == "JSON"
    assert {"request_id", "trace_id"} <= set(fields)
    assert fields["path"] == "%PATH(NQ)%"
