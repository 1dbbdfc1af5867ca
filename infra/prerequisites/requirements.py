"""What each setting of a stack needs of its cluster."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from packaging.version import Version

from infra.cluster_api import OLDEST_KUBERNETES, ClusterApi, parse_version
from infra.config.phase_spec import DatabaseKind, Edge
from infra.config.settings import Settings
from infra.config.types import GatewayKind, LogDestination, MonitoringMode, Tls
from infra.names import GATEWAY_CLASS_OF_ISTIO, PROJECT

CLOUDNATIVE_PG: Final = Version("1.30")
"""1.28 and 1.29.1 can't restore to a moment after a failover: they refuse the log's history."""
TRAEFIK: Final = Version("3.7")
"""`status` and `maxRequestBodyBytes` of the middleware `retry` came with it."""

Check = Callable[[ClusterApi], str | None]

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
        "Kubernetes", f"{OLDEST_KUBERNETES} is the oldest that is supported", "upgrade the cluster", _kubernetes
    )
    yield Requirement(
        "storage class",
        "Volumes of the stack are made by it",
        f"set {PROJECT}:storage_class to one that `kubectl get storageclasses` lists",
        _storage_class(settings.storage_class),
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
            _all(_serves("postgresql.cnpg.io/v1", *_database_kinds(settings)), operator.problem),
        )
    if settings.backups.bucket:
        yield Requirement(
            "Barman Cloud plugin",
            "Backups go to the bucket by it",
            _PLATFORM,
            _serves("barmancloud.cnpg.io/v1", "objectstores"),
        )
    if settings.edge is Edge.GATEWAY:
        yield from _gateway(settings)
    if any(service.autoscaled for service in row.services.values()):
        yield Requirement(
            "resource metrics", "The autoscaler counts CPU by them", _PLATFORM, _answers("metrics.k8s.io/v1beta1")
        )
    if any(service.api.requests_per_second for service in row.services.values()):
        yield Requirement(
            "custom metrics",
            "The autoscaler counts requests by them",
            _PLATFORM,
            _answers("custom.metrics.k8s.io/v1beta1"),
        )
    if row.monitoring and settings.monitoring.mode is MonitoringMode.OPERATOR:
        yield Requirement(
            "Prometheus operator",
            f"{PROJECT}:monitoring.mode is operator",
            f"{_PLATFORM}, or set that to own",
            _serves("monitoring.coreos.com/v1", "podmonitors", "prometheusrules"),
        )
    if settings.logs.destination is LogDestination.OPERATOR:
        yield Requirement(
            "ECK operator",
            f"{PROJECT}:logs.destination is operator",
            "https://www.elastic.co/docs/deploy-manage/deploy/cloud-on-k8s says how to install it",
            _serves("elasticsearch.k8s.elastic.co/v1", "elasticsearches"),
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
        _serves("gateway.networking.k8s.io/v1", "gatewayclasses", "gateways", "httproutes"),
    )
    yield from _istio(settings) if settings.gateway_kind is GatewayKind.ISTIO else _traefik(settings)
    if settings.gateway.certificate is Tls.ACME:
        yield Requirement(
            "cert-manager",
            f"{PROJECT}:gateway.certificate is acme",
            f"{_PLATFORM}, or set that to provided",
            _all(_serves("cert-manager.io/v1", "certificates", "clusterissuers"), _issuer(settings.gateway.issuer)),
        )


def _gateway_class(name: str, remedy: str) -> Requirement:
    return Requirement(f"gateway class {name}", "The Gateway is served by its controller", remedy, _accepted(name))


def _traefik(settings: Settings) -> Iterator[Requirement]:
    yield _gateway_class(
        settings.gateway.class_name,
        f"{_PLATFORM}, or set {PROJECT}:gateway.class to one that `kubectl get gatewayclasses` lists",
    )
    traefik = Operator("traefik", settings.gateway.namespace, f"{PROJECT}:gateway.namespace", TRAEFIK)
    yield Requirement(
        "Traefik",
        "Retries and load balancing are its middlewares",
        _PLATFORM,
        _all(_serves("traefik.io/v1alpha1", "middlewares", "traefikservices"), traefik.problem),
    )


def _istio(settings: Settings) -> Iterator[Requirement]:
    remedy = f"{_PLATFORM} with addons.istio, or set {PROJECT}:gateway.kind to traefik"
    if settings.meshed:
        remedy += f" and {PROJECT}:mesh.kind to none"
    yield Requirement(
        "Istio",
        "What the gateway does are its policies",
        remedy,
        _all(
            _serves("security.istio.io/v1", "requestauthentications", "authorizationpolicies", "peerauthentications"),
            _serves("networking.istio.io/v1", "destinationrules"),
            _serves("networking.istio.io/v1alpha3", "envoyfilters"),
        ),
    )
    yield _gateway_class(GATEWAY_CLASS_OF_ISTIO, remedy)


def _kubernetes(cluster: ClusterApi) -> str | None:
    version = cluster.version()
    return f"{cluster.server} runs {version}" if version < OLDEST_KUBERNETES else None


def _storage_class(name: str) -> Check:
    def problem(cluster: ClusterApi) -> str | None:
        classes = cluster.objects("/apis/storage.k8s.io/v1/storageclasses")
        names = [each["metadata"]["name"] for each in classes]
        if name:
            return None if name in names else f"there is none named {name}, only {', '.join(names) or 'none at all'}"
        if any(map(_is_default, classes)):
            return None
        return f"none is the default, of {', '.join(names)}" if names else "the cluster has none"

    return problem


def _is_default(storage_class: dict[str, Any]) -> bool:
    annotations = storage_class["metadata"].get("annotations") or {}
    return annotations.get("storageclass.kubernetes.io/is-default-class") == "true"


def _serves(group_version: str, *plurals: str) -> Check:
    def problem(cluster: ClusterApi) -> str | None:
        missing = [plural for plural in plurals if plural not in cluster.resources(group_version)]
        return f"{group_version} serves no {', no '.join(missing)}" if missing else None

    return problem


def _answers(group_version: str) -> Check:
    """Return a check of an aggregated API, which may be registered and not answer."""
    return lambda cluster: None if cluster.is_served(group_version) else f"{group_version} does not answer"


def _issuer(name: str) -> Check:
    path = f"/apis/cert-manager.io/v1/clusterissuers/{name}"
    return lambda cluster: None if cluster.object(path) else f"there is no ClusterIssuer named {name}"


def _accepted(name: str) -> Check:
    def problem(cluster: ClusterApi) -> str | None:
        found = cluster.object(f"/apis/gateway.networking.k8s.io/v1/gatewayclasses/{name}")
        if found is None:
            return "there is none of this name"
        conditions = found.get("status", {}).get("conditions", ())
        if any(each["type"] == "Accepted" and each["status"] == "True" for each in conditions):
            return None
        return f"no controller has accepted it ({found['spec']['controllerName']} would have to)"

    return problem


@dataclass(frozen=True)
class Operator:
    """An operator, found by the label `app.kubernetes.io/name` that the stack's network policies select it by.

    Args:
        name: value of that label.
        namespace: where it runs.
        setting: which one says so.
        least: the oldest version that will do.
    """

    name: str
    namespace: str
    setting: str
    least: Version

    def problem(self, cluster: ClusterApi) -> str | None:
        """Return what is wrong with it."""
        workloads = [
            workload
            for kind in ("deployments", "daemonsets")
            for workload in cluster.objects(f"/apis/apps/v1/namespaces/{self.namespace}/{kind}")
        ]
        running = list(filter(self._is_it, workloads))
        if not running:
            return f"none runs in the namespace {self.namespace}, which {self.setting} names"
        old = [version for version in map(_version, running) if version and version < self.least]
        return f"{min(old)} runs in the namespace {self.namespace}; {self.least} or later is needed" if old else None

    def _is_it(self, workload: dict[str, Any]) -> bool:
        labels = workload["spec"]["template"]["metadata"].get("labels", {})
        return bool(labels.get("app.kubernetes.io/name") == self.name)


def _version(workload: dict[str, Any]) -> Version | None:
    """Return the version that a workload's label or its image's tag names."""
    label = workload["metadata"].get("labels", {}).get("app.kubernetes.io/version", "")
    image = workload["spec"]["template"]["spec"]["containers"][0]["image"].partition("@")[0]
    return parse_version(label) or parse_version(image.rpartition("/")[2].rpartition(":")[2])


def _all(*checks: Check) -> Check:
    """Return the first problem that one of the checks finds."""
    return lambda cluster: next(filter(None, (check(cluster) for check in checks)), None)
