"""Prometheus: scrapes the stack's pods, stores their metrics, and evaluates the rules of `monitoring/rules`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pulumi
import yaml
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.rbac import v1 as rbac

from infra import names
from infra.components.base import Target
from infra.components.network import Flow, Peer
from infra.components.observability.single_server import Server, SingleServer
from infra.config import phase_spec
from infra.config.settings import Settings
from infra.config.types import GatewayKind

IMAGE: Final = "docker.io/prom/prometheus:v3.16.0"
RULES: Final = Path(__file__).resolve().parents[3] / "monitoring" / "rules"

_USER: Final = 10003  # above every user of a host; the server needs none in particular
_CONFIG: Final = "/etc/prometheus"
INTERVAL: Final = 10
"""Seconds between looks: the autoscaler asks each 15 s, and a rate needs two of them."""

SAMPLES: Final = 4000
"""Most series of a pod, twice what one of the API may have: who goes wild loses its own metrics and not everybody's."""

QUEUES_PATH: Final = "/metrics/detailed"
QUEUES_PARAMETERS: Final = {"family": ["queue_coarse_metrics", "queue_consumer_count"]}
"""Where RabbitMQ gives figures of each queue; elsewhere it adds them up."""


_INSTANCE: Final = "__meta_kubernetes_pod_label_app_kubernetes_io_instance"
_COMPONENT: Final = "__meta_kubernetes_pod_label_app_kubernetes_io_component"
_PORT: Final = "__meta_kubernetes_pod_container_port_name"


def scrape(job: str, *relabelled: dict[str, Any], namespace: str = "") -> dict[str, Any]:
    """A job for pods of a namespace, by default the stack's own, each with its name."""
    return {
        "job_name": job,
        "sample_limit": SAMPLES,
        "kubernetes_sd_configs": [
            {"role": "pod", "namespaces": {"names": [namespace]} if namespace else {"own_namespace": True}}
        ],
        "relabel_configs": [
            {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Running", "action": "keep"},
            *relabelled,
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
        ],
    }


def service_of_release() -> list[dict[str, Any]]:
    """Relabelling that names the service of a pod of the chart's, by its release; `ALL` where one has all of them."""
    return [
        {"source_labels": [_INSTANCE], "regex": names.RELEASE, "target_label": "service", "replacement": names.ALL},
        {"source_labels": [_INSTANCE], "regex": f"{names.RELEASE}-(.+)", "target_label": "service"},
    ]


def service_of_database() -> list[dict[str, Any]]:
    """Relabelling that names the service of a cluster of the database; `ALL` where services share one."""
    return [
        {"target_label": "service", "replacement": names.ALL},
        {
            "source_labels": ["__meta_kubernetes_pod_label_task_manager_service"],
            "regex": "(.+)",
            "target_label": "service",
        },
    ]


def _server(job: str, address: str, server: str) -> dict[str, Any]:
    """A job for the one pod of a server of the stack's own."""
    targets = {"targets": [address], "labels": {"pod": f"{server}-0"}}
    return {"job_name": job, "sample_limit": SAMPLES, "static_configs": [targets]}


@dataclass(frozen=True)
class Proxies:
    """The gateway, and the proxies of the mesh.

    Args:
        namespace: where Traefik runs; empty with another gateway.
        istio: whether the gateway is Istio's, in the stack's own namespace.
        meshed: whether servers have sidecars.
    """

    namespace: str = ""
    istio: bool = False
    meshed: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return those of a stack. Kong's metrics have other names, which no rule and no panel asks for."""
        kind = settings.gateway_kind
        traefik = settings.installed_gateway.namespace if kind is GatewayKind.TRAEFIK else ""
        return cls(traefik, kind is GatewayKind.ISTIO, settings.meshed)

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Where they give their metrics."""
        if self.namespace:
            return (Flow(Peer(namespace=self.namespace), (names.GATEWAY_METRICS_PORT,)),)
        if not self.istio:
            return ()
        sidecars = (Flow(Peer(names.API_LABELS), (names.PROXY_METRICS_PORT,)),) if self.meshed else ()
        return (Flow(Peer(names.ISTIO_GATEWAY_LABELS), (names.PROXY_METRICS_PORT,)), *sidecars)

    def jobs(self) -> list[dict[str, Any]]:
        """A job for the gateway, and one for sidecars."""
        if self.namespace:
            keep = {"source_labels": [_PORT], "regex": "metrics", "action": "keep"}
            return [scrape("gateway", keep, namespace=self.namespace)]
        if not self.istio:
            return []
        gateway = self._envoys("gateway", "gateway_networking_k8s_io_gateway_name", names.GATEWAY)
        sidecars = [self._envoys("sidecar", "app_kubernetes_io_name", names.PROJECT)] if self.meshed else []
        return [gateway, *sidecars]

    def _envoys(self, job: str, label: str, value: str) -> dict[str, Any]:
        keep = {
            "source_labels": [f"__meta_kubernetes_pod_label_{label}", _PORT],
            "regex": f"{value};{names.PROXY_METRICS_PORT_NAME}",
            "action": "keep",
        }
        return {**scrape(job, keep, *service_of_release()), "metrics_path": names.PROXY_METRICS_PATH}


def configuration(proxies: Proxies) -> dict[str, Any]:
    """Scrape configuration: annotated pods (API, worker, edge), database, Valkey, RabbitMQ, gateway, and monitoring
    itself."""
    annotation = "__meta_kubernetes_pod_annotation_prometheus_io_"
    annotated = scrape(
        "annotated",
        {"source_labels": [f"{annotation}scrape"], "regex": "true", "action": "keep"},
        {
            "source_labels": ["__meta_kubernetes_pod_ip", f"{annotation}port"],
            "separator": ":",
            "target_label": "__address__",
        },
        {"source_labels": [f"{annotation}path"], "regex": "(.+)", "target_label": "__metrics_path__"},
        {"source_labels": [_COMPONENT], "target_label": "job"},
        *service_of_release(),
    )
    database = scrape(
        "database",
        {
            "source_labels": [
                "__meta_kubernetes_pod_label_task_manager_part",
                _PORT,
            ],
            "regex": "database;metrics",
            "action": "keep",
        },
        *service_of_database(),
    )
    valkey = scrape(
        "valkey",
        {"source_labels": [_COMPONENT, _PORT], "regex": "(cache|broker);valkey", "action": "keep"},
        {"source_labels": ["__address__"], "target_label": "__param_target", "replacement": "redis://$1"},
        {"source_labels": [_COMPONENT], "target_label": "job"},
        *(
            {
                "source_labels": [_COMPONENT],
                "regex": component,
                "target_label": "__address__",
                "replacement": f"{names.valkey_exporter(servers)}:{names.VALKEY_EXPORTER_PORT}",
            }
            for component, servers in (("cache", names.CACHE), ("broker", names.BROKER))
        ),
    )
    valkey["metrics_path"] = "/scrape"
    rabbitmq = {"source_labels": [_COMPONENT, _PORT], "regex": "rabbitmq;metrics", "action": "keep"}
    alertmanager = f"{names.ALERTMANAGER}:{names.ALERTMANAGER_PORT}"
    itself = _server("prometheus", f"localhost:{names.PROMETHEUS_PORT}", names.PROMETHEUS)
    return {
        "global": {
            "scrape_interval": f"{INTERVAL}s",
            "scrape_timeout": f"{INTERVAL - 1}s",
            "evaluation_interval": f"{INTERVAL}s",
        },
        "rule_files": [f"{_CONFIG}/rules-*.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [
            annotated,
            database,
            valkey,
            scrape("rabbitmq", rabbitmq),
            {**scrape("rabbitmq-queues", rabbitmq), "metrics_path": QUEUES_PATH, "params": QUEUES_PARAMETERS},
            *proxies.jobs(),
            itself,
            _server("alertmanager", alertmanager, names.ALERTMANAGER),
        ],
    }


@dataclass(frozen=True)
class Limits:
    """Capacity of the stack, which rules compare usage with.

    Args:
        replicas: bounds of the autoscaler of each service's servers.
        databases: volumes of the instances of a service's cluster; of `ALL` where services share one.
        volumes: volume of each other server, in GiB, by the name of its job.
    """

    replicas: Mapping[str, tuple[int, int]]
    databases: Mapping[str, phase_spec.PostgreSQL]
    volumes: Mapping[str, int]

    def rules(self) -> dict[str, Any]:
        """A recording rule for each."""
        records: list[dict[str, Any]] = [
            {
                "record": f"task_manager:{volume}:bytes",
                "labels": {"service": service},
                "expr": f"vector({size * 1024**3})",
            }
            for service, each in self.databases.items()
            for volume, size in (("database_volume", each.storage), ("database_wal_volume", each.wal_storage))
        ]
        records += [
            {
                "record": f"task_manager:api_replicas:{bound}",
                "labels": {"service": service},
                "expr": f"vector({number})",
            }
            for service, bounds in self.replicas.items()
            for bound, number in zip(("min", "max"), bounds, strict=True)
        ]
        records += [
            {"record": "task_manager:volume:bytes", "labels": {"volume": job}, "expr": f"vector({size * 1024**3})"}
            for job, size in self.volumes.items()
        ]
        return {"groups": [{"name": "limits", "rules": records}]}


def files(limits: Limits, proxies: Proxies) -> dict[str, str]:
    """The configuration and the rules, by file name."""
    rules = {f"rules-{path.name}": path.read_text() for path in sorted(RULES.glob("*.yaml"))}
    return {
        "prometheus.yaml": yaml.safe_dump(configuration(proxies), sort_keys=False),
        "rules-limits.yaml": yaml.safe_dump(limits.rules(), sort_keys=False),
        **rules,
    }


def arguments(row: phase_spec.Monitoring) -> list[str]:
    """Command-line flags. Samples go by age, or by size before the volume is full: a full one stops the server."""
    return [
        f"--config.file={_CONFIG}/prometheus.yaml",
        "--storage.tsdb.path=/data",
        f"--storage.tsdb.retention.time={row.retention}d",
        f"--storage.tsdb.retention.size={row.storage * 1024 * 8 // 10}MB",
        f"--web.listen-address=:{names.PROMETHEUS_PORT}",
    ]


class Prometheus(SingleServer):
    """One server. It reads the list of the namespace's pods and of the gateway's, and nothing else.

    While it is away the autoscaler goes by CPU alone and takes no pod away.

    Args:
        row: sizes.
        limits: for the rules.
        adapter_namespace: where prometheus-adapter runs, which asks for what the autoscaler wants to know.
        proxies: the gateway, and the proxies of the mesh.
        grafana: whether Grafana asks, too.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        row: phase_spec.Monitoring,
        limits: Limits,
        adapter_namespace: str,
        proxies: Proxies,
        grafana: bool,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        callers = [Peer(namespace=adapter_namespace), *([Peer(names.GRAFANA_LABELS)] if grafana else [])]
        server = Server(
            name=names.PROMETHEUS,
            image=IMAGE,
            user=_USER,
            arguments=arguments(row),
            port=names.PROMETHEUS_PORT,
            files=files(limits, proxies),
            config=_CONFIG,
            storage=row.storage,
            compute=row.prometheus,
            account=names.PROMETHEUS,
            ingress=tuple(Flow(caller, (names.PROMETHEUS_PORT,)) for caller in callers),
            egress=(
                Flow(Peer(names.API_LABELS), (names.API_METRICS_PORT,)),
                Flow(Peer(names.DATABASE_LABELS), names.DATABASE_METRICS_PORTS),
                *(
                    Flow(Peer(names.valkey_exporter_labels(component)), (names.VALKEY_EXPORTER_PORT,))
                    for component in ("cache", "broker")
                ),
                Flow(Peer(names.RABBITMQ_LABELS), (names.RABBITMQ_METRICS_PORT,)),
                Flow(Peer(names.EDGE_LABELS), (names.EDGE_METRICS_PORT,)),
                *proxies.flows,
                Flow(Peer(names.ALERTMANAGER_LABELS), (names.ALERTMANAGER_PORT,)),
                target.api_server,
            ),
        )
        self.serve(server, *self._rights(proxies.namespace))
        self.register_outputs({"service": names.PROMETHEUS})

    def _rights(self, gateway_namespace: str) -> list[pulumi.Resource]:
        account = core.ServiceAccount(
            f"{self.name}-account",
            metadata=self.metadata(names.PROMETHEUS),
            automount_service_account_token=False,
            opts=self.options(),
        )
        places = {self.name: (names.PROMETHEUS, self.target.namespace)}
        if gateway_namespace:
            # Several stacks may stand behind one gateway: there the name says whose Prometheus it is.
            places[f"{self.name}-gateway"] = (f"{self.target.namespace}-prometheus", gateway_namespace)
        return [account, *(self._may_list_pods(resource, *place, account) for resource, place in places.items())]

    def _may_list_pods(
        self, resource: str, name: str, namespace: str, account: core.ServiceAccount
    ) -> rbac.RoleBinding:
        metadata = meta.ObjectMetaArgs(name=name, namespace=namespace, labels=self.target.labels(self.name))
        role = rbac.Role(
            f"{resource}-role",
            metadata=metadata,
            rules=[rbac.PolicyRuleArgs(api_groups=[""], resources=["pods"], verbs=["get", "list", "watch"])],
            opts=self.options(),
        )
        return rbac.RoleBinding(
            f"{resource}-binding",
            metadata=metadata,
            role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=name),
            subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=names.PROMETHEUS, namespace=self.target.namespace)],
            opts=self.options(account, role),
        )
