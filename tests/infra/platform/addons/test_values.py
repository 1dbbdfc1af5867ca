"""Values of the charts: what environments and their users rely on."""

from typing import Any

import pytest
import yaml

from infra.config.database_sections import Database
from infra.config.gateways import DEFAULTS
from infra.config.monitoring_sections import Monitoring
from infra.config.types import GatewayKind
from infra.platform.addons import certificates, gateway, mesh, metrics, postgresql
from infra.platform.addons.settings import AddonSettings
from infra.platform.addons.versions import CHARTS
from tests.infra.engine import ROOT
from tests.infra.platform.addons.conftest import Installed, release

TRAEFIK = DEFAULTS[GatewayKind.TRAEFIK]


@pytest.fixture
def values(installed: Installed) -> Any:
    """Values of a release by its add-on, on a cluster that is provided."""
    stack = installed(prometheus_operator="install", external_secrets="install", istio="install")
    return lambda key: release(stack, key).inputs["values"]


def test_the_names_are_those_that_environments_expect() -> None:
    assert TRAEFIK.class_name == gateway.GATEWAY_CLASS
    assert TRAEFIK.namespace == gateway.NAMESPACE
    assert Database().operator_namespace == postgresql.NAMESPACE
    assert metrics.NAMESPACE == Monitoring().namespace == Monitoring().adapter_namespace


def test_traefik_listens_where_environments_expect_it(values: Any) -> None:
    ports = values("traefik")["ports"]
    assert (ports["web"]["port"], ports["websecure"]["port"]) == (TRAEFIK.port, TRAEFIK.port_tls)
    assert ports["metrics"]["port"] == 9100


def test_traefik_serves_the_gateway_api_and_answers_503_without_pods(values: Any) -> None:
    providers = values("traefik")["providers"]
    assert providers["kubernetesGateway"]["enabled"]
    assert providers["kubernetesCRD"]["allowEmptyServices"]
    assert not providers["kubernetesIngress"]["enabled"]


def test_traefik_lets_large_uploads_take_their_time(values: Any) -> None:
    for name in ("web", "websecure"):
        transport = values("traefik")["ports"][name]["transport"]
        assert transport["respondingTimeouts"]["readTimeout"] == "4h"
        assert transport["lifeCycle"]["requestAcceptGraceTimeout"] == "5s"


def test_traefik_has_the_version_of_the_table(values: Any) -> None:
    assert values("traefik")["image"]["tag"] == CHARTS["traefik"].app_version


@pytest.mark.parametrize("cloud", ["provided", "digitalocean", "aws", "vps"])
def test_the_gateway_sees_the_addresses_of_clients(installed: Installed, cloud: str) -> None:
    service = release(installed(cloud), "traefik").inputs["values"]["service"]
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    attributes = service["annotations"].get("service.beta.kubernetes.io/aws-load-balancer-target-group-attributes")
    assert attributes == ("preserve_client_ip.enabled=true" if cloud == "aws" else None)


def test_one_server_has_one_traefik_and_others_keep_one_through_a_drain(installed: Installed) -> None:
    one = release(installed("vps"), "traefik").inputs["values"]
    several = release(installed("digitalocean"), "traefik").inputs["values"]
    assert (one["deployment"]["replicas"], one["podDisruptionBudget"]["enabled"]) == (1, False)
    assert (several["deployment"]["replicas"], several["podDisruptionBudget"]["enabled"]) == (2, True)


def test_crds_outlive_the_stack(values: Any) -> None:
    assert values("gateway_api")["global"]["resourcePolicy"]["keep"]
    assert values("cert_manager")["crds"] == {"enabled": True, "keep": True}
    assert values("external_secrets")["crds"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    # CloudNativePG's charts annotate theirs themselves; those of Traefik and the Prometheus operator are in `crds/`,
    # which Helm never deletes.


def test_only_the_standard_channel_of_the_gateway_api_is_installed(values: Any) -> None:
    assert values("gateway_api")["standard"] == {"enabled": True}
    assert values("gateway_api")["experimental"] == {"enabled": False}


def test_cert_manager_answers_challenges_at_the_gateway_that_asks(installed: Installed) -> None:
    stack = installed(acme_email="ops@example.com")
    assert release(stack, "cert_manager").inputs["values"]["config"]["enableGatewayAPI"]
    issuer = stack.find("ClusterIssuer")
    assert issuer.object_name == certificates.CLUSTER_ISSUER
    acme = issuer.inputs["spec"]["acme"]
    assert acme["email"] == "ops@example.com"
    assert acme["server"] == "https://acme-v02.api.letsencrypt.org/directory"
    assert acme["solvers"] == [{"http01": {"gatewayHTTPRoute": {"serviceType": "ClusterIP"}}}]
    assert release(stack, "cert_manager").urn in issuer.dependencies


def test_without_an_account_there_is_no_issuer(installed: Installed) -> None:
    assert not installed().has("ClusterIssuer")


def test_the_api_server_verifies_those_who_serve_metrics(values: Any) -> None:
    assert values("metrics_server")["tls"]["type"] == "cert-manager"
    assert values("metrics_server")["apiService"]["insecureSkipTLSVerify"] is False
    assert values("prometheus_adapter")["certManager"]["enabled"]


def test_the_adapter_has_our_rules_and_no_others(values: Any) -> None:
    ours = yaml.safe_load((ROOT / "monitoring" / "prometheus-adapter.yaml").read_text())["rules"]
    assert values("prometheus_adapter")["rules"] == {"default": False, "custom": ours}


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "http://task-manager-prometheus.task-manager-phase3.svc:9090"),
        ({"environment": "prod"}, "http://task-manager-prometheus.task-manager-prod.svc:9090"),
        ({"prometheus_operator": "install"}, "http://kube-prometheus-stack-prometheus.monitoring.svc:9090"),
        ({"prometheus": "https://metrics.example.com/tenant"}, "https://metrics.example.com/tenant"),
    ],
)
def test_the_adapter_queries_the_prometheus_that_has_the_numbers(settings: dict[str, str], address: str) -> None:
    assert metrics.prometheus_address(AddonSettings.model_validate(settings)) == address


def test_the_address_reaches_the_adapter_in_parts(installed: Installed) -> None:
    stack = installed(prometheus="https://metrics.example.com/tenant")
    prometheus = release(stack, "prometheus_adapter").inputs["values"]["prometheus"]
    assert prometheus == {"url": "https://metrics.example.com", "port": 443, "path": "/tenant"}


def test_the_operator_reads_every_environment(values: Any) -> None:
    spec = values("prometheus_operator")["prometheus"]["prometheusSpec"]
    for kind in ("rule", "podMonitor", "serviceMonitor"):
        assert spec[f"{kind}SelectorNilUsesHelmValues"] is False
    assert values("cloudnative_pg")["monitoring"]["podMonitorEnabled"]


def test_without_the_operator_nothing_asks_for_its_objects(installed: Installed) -> None:
    assert not release(installed(), "cloudnative_pg").inputs["values"]["monitoring"]["podMonitorEnabled"]


def test_the_load_balancer_controller_acts_by_its_role(installed: Installed) -> None:
    controller = release(installed("aws"), "aws_load_balancer").inputs["values"]
    assert controller["serviceAccount"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/load-balancer"
    }
    assert (controller["clusterName"], controller["vpcId"], controller["region"]) == ("tasks", "vpc-1", "eu-central-1")


def test_pods_of_the_mesh_are_admitted_where_restricted_is_enforced(values: Any) -> None:
    istiod, runtime_default = values("istiod"), {"type": "RuntimeDefault"}
    assert istiod["cni"]["enabled"], "an init container that sets iptables would need privileges"
    for part in (istiod, istiod["global"]["proxy"], istiod["gateways"]):
        assert part["seccompProfile"] == runtime_default


def test_istiod_knows_the_namespaces_that_ask_for_it_alone(values: Any) -> None:
    selectors = values("istiod")["meshConfig"]["discoverySelectors"]
    assert selectors == [
        {"matchLabels": {"istio-discovery": "enabled"}},
        {"matchLabels": {"kubernetes.io/metadata.name": mesh.NAMESPACE}},
    ]


def test_one_server_has_one_istiod_and_the_directories_of_k3s(installed: Installed) -> None:
    one, several = (installed(cloud, istio="install") for cloud in ("vps", "digitalocean"))
    for stack, replicas, platform in ((one, 1, "k3s"), (several, 2, None)):
        assert release(stack, "istiod").inputs["values"]["replicaCount"] == replicas
        for key in ("istiod", "istio_cni"):
            assert release(stack, key).inputs["values"]["global"].get("platform") == platform


@pytest.mark.parametrize("cloud", ["digitalocean", "aws"])
def test_gateways_of_the_mesh_have_the_load_balancer_of_the_cloud(installed: Installed, cloud: str) -> None:
    stack = installed(cloud, istio="install")
    service = release(stack, "istiod").inputs["values"]["gatewayClasses"][mesh.GATEWAY_CLASS]["service"]
    assert service["metadata"]["annotations"] == release(stack, "traefik").inputs["values"]["service"]["annotations"]
    assert service["spec"] == {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
