"""Monitoring by the cluster's Prometheus operator and Grafana, in place of servers of the stack's own.

The same rules and dashboards as `prometheus.py` and `grafana.py` run, as objects that the cluster's servers find.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pulumi
import yaml
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core import v1 as core

from infra import names
from infra.components.base import Component, Target
from infra.components.observability import grafana, prometheus

API_VERSION: Final = "monitoring.coreos.com/v1"
_RULES_OF_OWN_SERVERS: Final = "monitoring"
"""The file of rules about the stack's own Prometheus and Alertmanager: the operator's charts watch theirs."""


def pod_monitors(namespace: str, proxies: prometheus.Proxies) -> dict[str, dict[str, Any]]:
    """PodMonitors: the same pods as a server of the stack's own would, by the same names of jobs."""
    component = "__meta_kubernetes_pod_label_app_kubernetes_io_component"

    def job(name: str) -> dict[str, Any]:
        return {"targetLabel": "job", "replacement": name}

    def exporter(part: str, servers: str) -> dict[str, Any]:
        relabelled: list[dict[str, Any]] = [
            {"sourceLabels": ["__address__"], "targetLabel": "__param_target", "replacement": "redis://$1"},
            {
                "targetLabel": "__address__",
                "replacement": f"{names.valkey_exporter(servers)}.{namespace}:{names.VALKEY_EXPORTER_PORT}",
            },
            job(part),
        ]
        labels = {"app.kubernetes.io/part-of": names.PROJECT, "app.kubernetes.io/component": part}
        return _pod_monitor({"matchLabels": labels}, "valkey", relabelled, path="/scrape")

    return {
        "api": _pod_monitor(
            {"matchLabels": names.API_LABELS},
            "metrics",
            [{"sourceLabels": [component], "targetLabel": "job"}, *_relabelings(prometheus.service_of_release())],
        ),
        "database": _pod_monitor(
            {"matchLabels": names.DATABASE_LABELS},
            "metrics",
            [job("database"), *_relabelings(prometheus.service_of_database())],
        ),
        "cache": exporter("cache", names.CACHE),
        "broker": exporter("broker", names.BROKER),
        "rabbitmq": _pod_monitor({"matchLabels": names.RABBITMQ_LABELS}, "metrics", [job("rabbitmq")]),
        "rabbitmq-queues": _pod_monitor(
            {"matchLabels": names.RABBITMQ_LABELS},
            "metrics",
            [job("rabbitmq-queues")],
            path=prometheus.QUEUES_PATH,
            parameters=prometheus.QUEUES_PARAMETERS,
        ),
        "edge": _pod_monitor({"matchLabels": names.EDGE_LABELS}, "metrics", [job("edge")]),
        **_proxies(proxies, job),
    }


def _proxies(proxies: prometheus.Proxies, job: Callable[[str], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    if proxies.namespace:
        gateway = _pod_monitor({}, "metrics", [job("gateway")])
        return {"gateway": {**gateway, "namespaceSelector": {"matchNames": [proxies.namespace]}}}
    if not proxies.istio:
        return {}
    labels = {"gateway": names.ISTIO_GATEWAY_LABELS, **({"sidecar": names.API_LABELS} if proxies.meshed else {})}
    port, path = names.PROXY_METRICS_PORT_NAME, names.PROXY_METRICS_PATH
    return {
        part: _pod_monitor(
            {"matchLabels": selected}, port, [job(part), *_relabelings(prometheus.service_of_release())], path=path
        )
        for part, selected in labels.items()
    }


def _relabelings(written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return Prometheus's relabelling as the operator writes it."""
    keys = {"source_labels": "sourceLabels", "target_label": "targetLabel"}
    return [{keys.get(key, key): value for key, value in rule.items()} for rule in written]


def _pod_monitor(
    selector: dict[str, Any],
    port: str,
    relabelled: list[dict[str, Any]],
    path: str = "/metrics",
    parameters: Mapping[str, list[str]] | None = None,
) -> dict[str, Any]:
    endpoint: dict[str, Any] = {
        "port": port,
        "path": path,
        "interval": f"{prometheus.INTERVAL}s",
        "relabelings": relabelled,
    }
    if parameters:
        endpoint["params"] = dict(parameters)
    return {"selector": selector, "sampleLimit": prometheus.SAMPLES, "podMetricsEndpoints": [endpoint]}


class OperatedMonitoring(Component):
    """Objects for the operator, and a ConfigMap a dashboard for the sidecar of Grafana's chart.

    Args:
        limits: for the rules.
        proxies: the gateway, and the proxies of the mesh.
        release: value of the label `release` by which the operator selects what it reads; empty for none.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        limits: prometheus.Limits,
        proxies: prometheus.Proxies,
        release: str,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        self._selected = {"release": release} if release else {}
        for part, spec in pod_monitors(target.namespace, proxies).items():
            self._custom("PodMonitor", part, spec)
        rules = {
            file.stem: yaml.safe_load(file.read_text())
            for file in sorted(prometheus.RULES.glob("*.yaml"))
            if file.stem != _RULES_OF_OWN_SERVERS
        }
        for part, spec in {**rules, "limits": limits.rules()}.items():
            self._custom("PrometheusRule", part, spec)
        for file in sorted(grafana.DASHBOARDS.glob("*.json")):
            core.ConfigMap(
                f"{name}-dashboard-{file.stem}",
                metadata=self._metadata(f"dashboard-{file.stem}", {"grafana_dashboard": "1"}),
                data={f"{names.PROJECT}-{file.name}": file.read_text()},
                opts=self.options(),
            )
        self.register_outputs({})

    def _custom(self, kind: str, part: str, spec: dict[str, Any]) -> None:
        CustomResource(
            f"{self.name}-{kind.lower()}-{part}",
            api_version=API_VERSION,
            kind=kind,
            metadata=self._metadata(part, self._selected),
            spec=spec,
            opts=self.options(),
        )

    def _metadata(self, part: str, labels: dict[str, str]) -> Any:
        metadata = self.metadata(f"{names.PROJECT}-{part}")
        metadata.labels = {**self.target.labels(self.name), **labels}
        return metadata
