"""Prometheus: gathers what the stack's pods tell, keeps it, and evaluates the rules of `monitoring/rules`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pulumi
import yaml
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.rbac import v1 as rbac

from infra import names, network, phases
from infra.components.base import Target
from infra.components.single_server import Server, SingleServer
from infra.network import Flow, Peer

IMAGE: Final = "docker.io/prom/prometheus:v3.16.0"
RULES: Final = Path(__file__).resolve().parents[2] / "monitoring" / "rules"

_USER: Final = 10003  # above every user of a host; the server needs none in particular
_CONFIG: Final = "/etc/prometheus"
_INTERVAL: Final = 10
"""Seconds between looks: the autoscaler asks each 15 s, and a rate needs two of them."""

_SAMPLES: Final = 4000
"""Most series of a pod, twice what one of the API may have: who goes wild loses its own metrics and not everybody's."""


def scrape(job: str, *relabelled: dict[str, Any]) -> dict[str, Any]:
    """A job for pods of the stack's namespace, each with its name."""
    return {
        "job_name": job,
        "sample_limit": _SAMPLES,
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"own_namespace": True}}],
        "relabel_configs": [
            {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Running", "action": "keep"},
            *relabelled,
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
        ],
    }


def configuration() -> dict[str, Any]:
    """Whom Prometheus asks: pods that say so in annotations, as the chart's do, and those of the database."""
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
        {"source_labels": ["__meta_kubernetes_pod_label_app_kubernetes_io_component"], "target_label": "job"},
    )
    database = scrape(
        "database",
        {
            "source_labels": [
                "__meta_kubernetes_pod_label_cnpg_io_cluster",
                "__meta_kubernetes_pod_container_port_name",
            ],
            "regex": f"{names.DATABASE_CLUSTER};metrics",
            "action": "keep",
        },
    )
    return {
        "global": {
            "scrape_interval": f"{_INTERVAL}s",
            "scrape_timeout": f"{_INTERVAL - 1}s",
            "evaluation_interval": f"{_INTERVAL}s",
        },
        "rule_files": [f"{_CONFIG}/rules-*.yaml"],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [f"{names.ALERTMANAGER}:{names.ALERTMANAGER_PORT}"]}]}]
        },
        "scrape_configs": [annotated, database],
    }


def files() -> dict[str, str]:
    """The configuration and the rules, by file name."""
    rules = {f"rules-{path.name}": path.read_text() for path in sorted(RULES.glob("*.yaml"))}
    return {"prometheus.yaml": yaml.safe_dump(configuration(), sort_keys=False), **rules}


def arguments(row: phases.Monitoring) -> list[str]:
    """Command-line flags. Samples go by age, or by size before the volume is full: a full one stops the server."""
    return [
        f"--config.file={_CONFIG}/prometheus.yaml",
        "--storage.tsdb.path=/data",
        f"--storage.tsdb.retention.time={row.retention}d",
        f"--storage.tsdb.retention.size={row.storage * 1024 * 8 // 10}MB",
        f"--web.listen-address=:{names.PROMETHEUS_PORT}",
    ]


class Prometheus(SingleServer):
    """One server. It reads the list of the namespace's pods, and nothing else.

    While it is away the autoscaler goes by CPU alone and takes no pod away.

    Args:
        row: sizes.
        adapter_namespace: where prometheus-adapter runs, which asks for what the autoscaler wants to know.
        grafana: whether Grafana asks, too.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        row: phases.Monitoring,
        adapter_namespace: str,
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
            files=files(),
            config=_CONFIG,
            storage=row.storage,
            compute=row.prometheus,
            account=names.PROMETHEUS,
            inward=tuple(Flow(caller, (names.PROMETHEUS_PORT,)) for caller in callers),
            outward=(
                Flow(Peer(names.API_LABELS), (names.API_PORT,)),
                Flow(Peer(names.DATABASE_LABELS), names.DATABASE_METRICS_PORTS),
                Flow(Peer(names.ALERTMANAGER_LABELS), (names.ALERTMANAGER_PORT,)),
                network.API_SERVER,
            ),
        )
        self.serve(server, *self._rights())
        self.register_outputs({"service": names.PROMETHEUS})

    def _rights(self) -> list[pulumi.Resource]:
        metadata = self.metadata(names.PROMETHEUS)
        account = core.ServiceAccount(
            f"{self.name}-account", metadata=metadata, automount_service_account_token=False, opts=self.options()
        )
        role = rbac.Role(
            f"{self.name}-role",
            metadata=metadata,
            rules=[rbac.PolicyRuleArgs(api_groups=[""], resources=["pods"], verbs=["get", "list", "watch"])],
            opts=self.options(),
        )
        binding = rbac.RoleBinding(
            f"{self.name}-binding",
            metadata=metadata,
            role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=names.PROMETHEUS),
            subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=names.PROMETHEUS, namespace=self.target.namespace)],
            opts=self.options(account, role),
        )
        return [account, binding]
