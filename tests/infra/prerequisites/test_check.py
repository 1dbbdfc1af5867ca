"""Missing parts of a cluster are reported before anything is made."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.infra import engine
from tests.infra.prerequisites import api_server
from tests.infra.prerequisites.api_server import ApiServer

CNPG = "/apis/apps/v1/namespaces/cnpg-system/deployments"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
TRAEFIK_CLASS = "/apis/gateway.networking.k8s.io/v1/gatewayclasses/traefik"
EVERYTHING = {
    **engine.stack_file("phase3"),
    "task-manager:monitoring.mode": "operator",
    "task-manager:logs.destination": "operator",
    "task-manager:secrets.source": "vault",
    "task-manager:secrets.address": "https://vault.example.com:8200",
    "task-manager:hostname": "tasks.example.com",
    "task-manager:gateway.certificate": "acme",
    "task-manager:check_prerequisites": "true",
}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """A cluster that lacks nothing, and the kubeconfig that leads to it."""
    with api_server.serving(api_server.complete()) as running:
        monkeypatch.setenv("KUBECONFIG", str(running.kubeconfig(tmp_path)))
        yield running


def complaints(config: dict[str, Any], caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines that a run is refused with."""
    with pytest.raises(pulumi.RunError) as refused:
        engine.run(config)
    return [*(record.message for record in caplog.records if record.levelname == "ERROR"), str(refused.value)]


@pytest.mark.parametrize("phase", [1, 2, 3])
@pytest.mark.usefixtures("cluster")
def test_a_cluster_that_has_everything_is_accepted(phase: int) -> None:
    config = {**engine.stack_file(f"phase{phase}"), "task-manager:check_prerequisites": "true"}
    assert engine.run(config).objects
    assert engine.run(EVERYTHING).objects


PLATFORM = "`pulumi -C infra/platform up` brings it"
MISSING: dict[str, tuple[dict[str, Any] | int, str]] = {
    CLASSES: (
        api_server.items(),
        (
            "storage class: the cluster has none. Volumes of the stack are made by it;"
            " set task-manager:storage_class to one that `kubectl get storageclasses` lists"
        ),
    ),
    f"{CLASSES} ": (
        api_server.items(api_server.storage_class("fast", default=False)),
        (
            "storage class: none is the default, of fast. Volumes of the stack are made by it;"
            " set task-manager:storage_class to one that `kubectl get storageclasses` lists"
        ),
    ),
    "/apis/postgresql.cnpg.io/v1": (
        404,
        (
            "CloudNativePG: postgresql.cnpg.io/v1 serves no clusters, no poolers, no scheduledbackups."
            f" PostgreSQL is run by this operator; {PLATFORM}"
        ),
    ),
    CNPG: (
        api_server.items(api_server.workload("cloudnative-pg", "mirror:5000/cloudnative-pg:1.28.1")),
        (
            "CloudNativePG: 1.28.1 runs in the namespace cnpg-system; 1.30 or later is needed."
            f" PostgreSQL is run by this operator; {PLATFORM}"
        ),
    ),
    f"{CNPG} ": (
        api_server.items(api_server.workload("something-else", "other:1.0")),
        (
            "CloudNativePG: none runs in the namespace cnpg-system, which"
            " task-manager:database.operator_namespace names."
            f" PostgreSQL is run by this operator; {PLATFORM}"
        ),
    ),
    "/apis/barmancloud.cnpg.io/v1": (
        404,
        (
            "Barman Cloud plugin: barmancloud.cnpg.io/v1 serves no objectstores."
            f" Backups go to the bucket by it; {PLATFORM}"
        ),
    ),
    "/apis/gateway.networking.k8s.io/v1": (
        api_server.served("gatewayclasses", "gateways"),
        (
            "Gateway API: gateway.networking.k8s.io/v1 serves no httproutes."
            f" The way in is a Gateway with routes; {PLATFORM}"
        ),
    ),
    TRAEFIK_CLASS: (
        404,
        (
            "gateway class traefik: there is none of this name. The Gateway is served by its controller;"
            f" {PLATFORM}, or set task-manager:gateway.class to one that `kubectl get gatewayclasses` lists"
        ),
    ),
    f"{TRAEFIK_CLASS} ": (
        api_server.gateway_class(accepted="Unknown"),
        (
            "gateway class traefik: no controller has accepted it (traefik.io/gateway-controller would have to)."
            " The Gateway is served by its controller;"
            f" {PLATFORM}, or set task-manager:gateway.class to one that `kubectl get gatewayclasses` lists"
        ),
    ),
    "/apis/traefik.io/v1alpha1": (
        404,
        (
            "Traefik: traefik.io/v1alpha1 serves no middlewares, no traefikservices."
            f" Retries and load balancing are its middlewares; {PLATFORM}"
        ),
    ),
    "/apis/apps/v1/namespaces/traefik/deployments": (
        api_server.items(api_server.workload("traefik", "traefik:v3.6.2")),
        (
            "Traefik: 3.6.2 runs in the namespace traefik; 3.7 or later is needed."
            f" Retries and load balancing are its middlewares; {PLATFORM}"
        ),
    ),
    "/apis/metrics.k8s.io/v1beta1": (
        503,
        f"resource metrics: metrics.k8s.io/v1beta1 does not answer. The autoscaler counts CPU by them; {PLATFORM}",
    ),
    "/apis/custom.metrics.k8s.io/v1beta1": (
        404,
        (
            "custom metrics: custom.metrics.k8s.io/v1beta1 does not answer."
            f" The autoscaler counts requests by them; {PLATFORM}"
        ),
    ),
    "/apis/monitoring.coreos.com/v1": (
        404,
        (
            "Prometheus operator: monitoring.coreos.com/v1 serves no podmonitors, no prometheusrules."
            f" task-manager:monitoring.mode is operator; {PLATFORM}, or set that to own"
        ),
    ),
    "/apis/elasticsearch.k8s.elastic.co/v1": (
        404,
        (
            "ECK operator: elasticsearch.k8s.elastic.co/v1 serves no elasticsearches."
            " task-manager:logs.destination is operator;"
            " https://www.elastic.co/docs/deploy-manage/deploy/cloud-on-k8s says how to install it"
        ),
    ),
    "/apis/external-secrets.io/v1": (
        api_server.served("externalsecrets"),
        (
            "External Secrets Operator: external-secrets.io/v1 serves no secretstores."
            f" task-manager:secrets.source is vault; {PLATFORM}"
        ),
    ),
    "/apis/cert-manager.io/v1": (
        404,
        (
            "cert-manager: cert-manager.io/v1 serves no certificates, no clusterissuers."
            f" task-manager:gateway.certificate is acme; {PLATFORM}, or set that to provided"
        ),
    ),
    "/apis/cert-manager.io/v1/clusterissuers/letsencrypt": (
        404,
        (
            "cert-manager: there is no ClusterIssuer named letsencrypt."
            f" task-manager:gateway.certificate is acme; {PLATFORM}, or set that to provided"
        ),
    ),
    "/version": (
        {"gitVersion": "v1.29.15+k3s1"},
        "Kubernetes: URL runs 1.29.15. 1.30 is the oldest that is supported; upgrade the cluster",
    ),
}


@pytest.mark.parametrize("path", MISSING)
def test_a_missing_part_is_one_line_and_nothing_is_made(
    path: str, cluster: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    answer, line = MISSING[path]
    cluster.answers[path.strip()] = answer
    assert complaints(EVERYTHING, caplog) == [line.replace("URL", cluster.url)]


MESHED = {
    **engine.stack_file("phase4"),
    "task-manager:mesh.kind": "istio",
    "task-manager:check_prerequisites": "true",
}
OF_ISTIO = f"{PLATFORM} with addons.istio, or set task-manager:gateway.kind to traefik"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (
            "/apis/networking.istio.io/v1alpha3",
            (
                "Istio: networking.istio.io/v1alpha3 serves no envoyfilters. What the gateway does are its policies;"
                f" {OF_ISTIO} and task-manager:mesh.kind to none"
            ),
        ),
        (
            "/apis/gateway.networking.k8s.io/v1/gatewayclasses/istio",
            (
                "gateway class istio: there is none of this name. The Gateway is served by its controller;"
                f" {OF_ISTIO} and task-manager:mesh.kind to none"
            ),
        ),
    ],
)
def test_istio_is_asked_for_where_gateway_or_mesh_are_its_own(
    path: str, line: str, cluster: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    for traefik in (TRAEFIK_CLASS, "/apis/traefik.io/v1alpha1"):
        del cluster.answers[traefik]
    assert engine.run(MESHED).objects
    del cluster.answers[path]
    assert complaints(MESHED, caplog) == [line]


BEHIND_KONG = {
    **engine.stack_file("phase2"),
    "task-manager:gateway.kind": "kong",
    "task-manager:check_prerequisites": "true",
}
KONG_CLASS = "/apis/gateway.networking.k8s.io/v1/gatewayclasses/kong"
KONG_WORKLOADS = "/apis/apps/v1/namespaces/kong/deployments"
OF_KONG = (
    "What the gateway does are its plugins; docs/edge.md says how to install it;"
    " or set task-manager:gateway.kind to traefik"
)


def kong(proxy: str = "kong:3.9.3", controller: str = "kong/kubernetes-ingress-controller:3.5.13") -> dict[str, Any]:
    """Return Kong's workloads as its chart makes them."""
    return api_server.items(*(api_server.workload(image.partition(":")[0], image) for image in (proxy, controller)))


@pytest.fixture
def kong_cluster(cluster: ApiServer) -> ApiServer:
    """A cluster whose gateway is Kong, without Traefik."""
    for traefik in (TRAEFIK_CLASS, "/apis/traefik.io/v1alpha1"):
        del cluster.answers[traefik]
    cluster.answers |= {
        KONG_CLASS: api_server.gateway_class(accepted="True", controller="konghq.com/kic-gateway-controller"),
        "/apis/configuration.konghq.com/v1": api_server.served("kongplugins", "kongconsumers"),
        "/apis/configuration.konghq.com/v1beta1": api_server.served("kongupstreampolicies"),
        KONG_WORKLOADS: kong(),
        "/apis/apps/v1/namespaces/kong/daemonsets": api_server.items(),
    }
    return cluster


def test_behind_kong_no_traefik_is_asked_for(kong_cluster: ApiServer) -> None:
    assert engine.run(BEHIND_KONG).objects
    kong_cluster.answers[KONG_WORKLOADS] = kong("registry.example.com:5000/mirror/kong@sha256:00")
    assert engine.run(BEHIND_KONG).objects, "an image by its digest says no version"


@pytest.mark.parametrize(
    ("path", "answer", "line"),
    [
        (
            KONG_CLASS,
            api_server.gateway_class(accepted="True"),
            (
                "gateway class kong: its controller is traefik.io/gateway-controller, and not"
                " konghq.com/kic-gateway-controller. The Gateway is served by its controller; set"
                " task-manager:gateway.class to Kong's, which docs/edge.md says how to make"
            ),
        ),
        (
            "/apis/configuration.konghq.com/v1beta1",
            404,
            f"Kong: configuration.konghq.com/v1beta1 serves no kongupstreampolicies. {OF_KONG}",
        ),
        (
            KONG_WORKLOADS,
            kong(proxy="kong:3.6.1-ubuntu"),
            f"Kong: kong 3.6.1 runs in the namespace kong; 3.7 or later is needed. {OF_KONG}",
        ),
        (
            KONG_WORKLOADS,
            kong(controller="kong/kubernetes-ingress-controller:3.5.6"),
            (
                "Kong: kubernetes-ingress-controller 3.5.6 runs in the namespace kong; 3.5.7 or later is needed."
                f" {OF_KONG}"
            ),
        ),
        (
            KONG_WORKLOADS,
            api_server.items(),
            (
                "Kong: no kubernetes-ingress-controller runs in the namespace kong, which"
                f" task-manager:gateway.namespace names. {OF_KONG}"
            ),
        ),
    ],
)
def test_a_missing_part_of_kong_is_one_line(
    path: str, answer: Any, line: str, kong_cluster: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    kong_cluster.answers[path] = answer
    assert complaints(BEHIND_KONG, caplog) == [line]


def test_each_of_several_missing_parts_has_its_line(cluster: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
    for path in ("/apis/postgresql.cnpg.io/v1", "/apis/barmancloud.cnpg.io/v1", "/apis/metrics.k8s.io/v1beta1"):
        del cluster.answers[path]
    assert [line.partition(":")[0] for line in complaints(EVERYTHING, caplog)] == [
        "CloudNativePG",
        "Barman Cloud plugin",
        "resource metrics",
    ]


def test_what_a_phase_does_not_stand_on_is_not_asked_for(cluster: ApiServer) -> None:
    for path in set(cluster.answers) - {"/version", CLASSES}:
        del cluster.answers[path]
    assert engine.run({**engine.stack_file("phase1"), "task-manager:check_prerequisites": "true"}).objects


def test_the_storage_class_of_the_setting_has_to_be_there(cluster: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
    config = {**EVERYTHING, "task-manager:storage_class": "fast"}
    assert complaints(config, caplog)[0].startswith("storage class: there is none named fast, only standard.")
    cluster.answers[CLASSES] = api_server.items(api_server.storage_class("fast", default=False))
    assert engine.run(config).objects


def test_what_the_user_may_not_read_is_a_warning(cluster: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
    readable = set(cluster.answers) - {"/version"}
    cluster.answers.update(dict.fromkeys(readable, 403))
    assert engine.run(EVERYTHING).objects
    warnings = [record.message for record in caplog.records if ": not checked, no rights: " in record.message]
    assert warnings[0] == f"storage class: not checked, no rights: tester cannot get {CLASSES}"
    assert [line.partition(":")[0] for line in warnings] == [
        "storage class",
        "CloudNativePG",
        "Barman Cloud plugin",
        "External Secrets Operator",
        "Gateway API",
        "gateway class traefik",
        "Traefik",
        "cert-manager",
        "resource metrics",
        "custom metrics",
        "Prometheus operator",
        "ECK operator",
    ]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failing_api_server_is_not_called_a_missing_part(
    status: int, cluster: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.answers[TRAEFIK_CLASS] = status
    assert complaints(EVERYTHING, caplog) == [f"cluster: {cluster.url} answers {status} to {TRAEFIK_CLASS}"]


def test_the_check_can_be_turned_off(cluster: ApiServer) -> None:
    cluster.answers.clear()
    assert engine.run({**EVERYTHING, "task-manager:check_prerequisites": "false"}).objects


def test_without_a_kubeconfig_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert engine.run(EVERYTHING).objects


@pytest.mark.usefixtures("cluster")
def test_a_kubeconfig_that_leads_nowhere_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    assert complaints({**EVERYTHING, "task-manager:context": "nowhere"}, caplog) == [
        (
            "cluster: cannot reach the Kubernetes API server http://127.0.0.1:1: [Errno 111] Connection refused;"
            " start that cluster, or set KUBECONFIG to the kubeconfig of one that runs"
        )
    ]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (401, "cluster: URL does not accept the kubeconfig's credentials"),
        (404, "cluster: URL does not answer as a Kubernetes API server"),
        ({"hello": "world"}, "cluster: URL does not answer as a Kubernetes API server"),
    ],
)
def test_an_answer_that_is_no_api_servers_is_one_line(
    answer: Any, line: str, cluster: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.answers["/version"] = answer
    assert complaints(EVERYTHING, caplog) == [line.replace("URL", cluster.url)]


@pytest.mark.usefixtures("cluster")
def test_an_unknown_context_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    [line] = complaints({**EVERYTHING, "task-manager:context": "elsewhere"}, caplog)
    assert line.startswith("cluster: ")
    assert "elsewhere" in line
    assert "\n" not in line


def test_a_kubeconfig_that_is_not_there_is_left_to_the_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    assert engine.run(EVERYTHING).objects
