"""What each setting of a stack needs of its cluster."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from packaging.version import Version

from infra.cluster_api import OLDEST_KUBERNETES, ClusterApi
from infra.config.phase_spec import DatabaseKind, Edge
from infra.config.settings import Settings
from infra.config.types import GatewayKind, LogDestination, MonitoringMode, Tls
from infra.names import GATEWAY_CLASS_OF_ISTIO, PROJECT
from infra.prerequisites.checks import (
    Check,
    Operator,
    accepted,
    answers,
    controlled_by,
    first_of,
    issuer,
    kubernetes,
    runs,
    serves,
    storage_class,
)

CLOUDNATIVE_PG: Final = Version("1.30")
"""1.28 and 1.29.1 can't restore to a moment after a failover: they refuse the log's history."""
TRAEFIK: Final = Version("3.7")
"""`status` and `maxRequestBodyBytes` of the middleware `retry` came with it."""
KONG: Final = Version("3.7")
"""The check of EdDSA tokens came with it."""
KONG_CONTROLLER: Final = Version("3.5.7")
"""Older ones serve the routes of the TLS listener by plain HTTP too."""
KONG_CONTROLLER_NAME: Final = "konghq.com/kic-gateway-controller"

_PLATFORM: Final = "`pulumi -C infra/platform up` brings it"


@dataclass(frozen=True)
class Requirement:
    """A part that has to be in the cluster.

    Args:
        part: its name.
        purpose: what the stack does with it.
        remedy: what brings it.
        find_problem: what is wrong with the part in a cluster; None when it is there.
    """

    part: str
    purpose: str
    remedy: str
    find_problem: Check

    def problem(self, cluster: ClusterApi) -> str | None:
        """Return one line on what is missing, why it is needed and what brings it; None where nothing is.

        Raises:
            ClusterApiError: the part could not be looked at.
        """
        found = self.find_problem(cluster)
        return found and f"{self.part}: {found}. {self.purpose}; {self.remedy}"


def requirements(settings: Settings) -> Iterator[Requirement]:
    """Yield what a stack with these settings stands on, the most basic first."""
    row = settings.row
    yield Requirement(
        "Kubernetes", f"{OLDEST_KUBERNETES} is the oldest that is supported", "upgrade the cluster", kubernetes
    )
    yield Requirement(
        "storage class",
        "Volumes of the stack are made by it",
        f"set {PROJECT}:storage_class to one that `kubectl get storageclasses` lists",
        storage_class(settings.storage_class),
    )
    if settings.database_kind is DatabaseKind.POSTGRESQL:
        operator = Operator(
            "cloudnative-pg",
            settings.database.operator_namespace,
            f"{PROJECT}:database.operator_namespace",
            CLOUDNATIVE_PG,
        )
        yield Requirement(
            "CloudNativePG",
            "PostgreSQL is run by this operator",
            _PLATFORM,
            first_of(serves("postgresql.cnpg.io/v1", *_database_kinds(settings)), operator.problem),
        )
    if settings.backups.bucket:
        yield Requirement(
            "Barman Cloud plugin",
            "Backups go to the bucket by it",
            _PLATFORM,
            serves("barmancloud.cnpg.io/v1", "objectstores"),
        )
    if settings.secrets.source.external:
        yield Requirement(
            "External Secrets Operator",
            f"{PROJECT}:secrets.source is {settings.secrets.source}",
            _PLATFORM,
            serves("external-secrets.io/v1", "externalsecrets", "secretstores"),
        )
    if settings.edge is Edge.GATEWAY:
        yield from _gateway(settings)
    if any(service.autoscaled for service in row.services.values()):
        yield Requirement(
            "resource metrics", "The autoscaler counts CPU by them", _PLATFORM, answers("metrics.k8s.io/v1beta1")
        )
    if any(service.api.requests_per_second for service in row.services.values()):
        yield Requirement(
            "custom metrics",
            "The autoscaler counts requests by them",
            _PLATFORM,
            answers("custom.metrics.k8s.io/v1beta1"),
        )
    if row.monitoring and settings.monitoring.mode is MonitoringMode.OPERATOR:
        yield Requirement(
            "Prometheus operator",
            f"{PROJECT}:monitoring.mode is operator",
            f"{_PLATFORM}, or set that to own",
            serves("monitoring.coreos.com/v1", "podmonitors", "prometheusrules"),
        )
    if settings.logs.destination is LogDestination.OPERATOR:
        yield Requirement(
            "ECK operator",
            f"{PROJECT}:logs.destination is operator",
            "https://www.elastic.co/docs/deploy-manage/deploy/cloud-on-k8s says how to install it",
            serves("elasticsearch.k8s.elastic.co/v1", "elasticsearches"),
        )


def _database_kinds(settings: Settings) -> tuple[str, ...]:
    shared = settings.row.split and not settings.row.own_clusters
    moving = settings.former_release
    return (
        *("clusters", "poolers", "scheduledbackups"),
        *(("databases",) if shared else ()),
        *(("subscriptions",) if moving else ()),
    )


def _gateway(settings: Settings) -> Iterator[Requirement]:
    yield Requirement(
        "Gateway API",
        "The way in is a Gateway with routes",
        _PLATFORM,
        serves("gateway.networking.k8s.io/v1", "gatewayclasses", "gateways", "httproutes"),
    )
    yield from _GATEWAYS[settings.gateway_kind](settings)
    if settings.gateway.certificate is Tls.ACME:
        yield Requirement(
            "cert-manager",
            f"{PROJECT}:gateway.certificate is acme",
            f"{_PLATFORM}, or set that to provided",
            first_of(serves("cert-manager.io/v1", "certificates", "clusterissuers"), issuer(settings.gateway.issuer)),
        )


def _gateway_class(name: str, remedy: str, *checks: Check) -> Requirement:
    find_problem = first_of(accepted(name), *checks)
    return Requirement(f"gateway class {name}", "The Gateway is served by its controller", remedy, find_problem)


def _traefik(settings: Settings) -> Iterator[Requirement]:
    installed = settings.installed_gateway
    yield _gateway_class(
        installed.class_name,
        f"{_PLATFORM}, or set {PROJECT}:gateway.class to one that `kubectl get gatewayclasses` lists",
    )
    traefik = Operator("traefik", installed.namespace, f"{PROJECT}:gateway.namespace", TRAEFIK)
    yield Requirement(
        "Traefik",
        "Retries and load balancing are its middlewares",
        _PLATFORM,
        first_of(serves("traefik.io/v1alpha1", "middlewares", "traefikservices"), traefik.problem),
    )


def _istio(settings: Settings) -> Iterator[Requirement]:
    remedy = f"{_PLATFORM} with addons.istio, or set {PROJECT}:gateway.kind to traefik"
    if settings.meshed:
        remedy += f" and {PROJECT}:mesh.kind to none"
    yield Requirement(
        "Istio",
        "What the gateway does are its policies",
        remedy,
        first_of(
            serves("security.istio.io/v1", "requestauthentications", "authorizationpolicies", "peerauthentications"),
            serves("networking.istio.io/v1", "destinationrules"),
            serves("networking.istio.io/v1alpha3", "envoyfilters"),
        ),
    )
    yield _gateway_class(GATEWAY_CLASS_OF_ISTIO, remedy)


def _kong(settings: Settings) -> Iterator[Requirement]:
    installed = settings.installed_gateway
    remedy = f"docs/edge.md says how to install it; or set {PROJECT}:gateway.kind to traefik"
    yield _gateway_class(
        installed.class_name,
        f"set {PROJECT}:gateway.class to Kong's, which docs/edge.md says how to make",
        controlled_by(installed.class_name, KONG_CONTROLLER_NAME),
    )
    yield Requirement(
        "Kong",
        "What the gateway does are its plugins",
        remedy,
        first_of(
            serves("configuration.konghq.com/v1", "kongplugins", "kongconsumers"),
            serves("configuration.konghq.com/v1beta1", "kongupstreampolicies"),
            runs(installed.namespace, {"kubernetes-ingress-controller": KONG_CONTROLLER, "kong": KONG}),
        ),
    )


_GATEWAYS: Final[Mapping[GatewayKind, Callable[[Settings], Iterator[Requirement]]]] = {
    GatewayKind.TRAEFIK: _traefik,
    GatewayKind.ISTIO: _istio,
    GatewayKind.KONG: _kong,
}
