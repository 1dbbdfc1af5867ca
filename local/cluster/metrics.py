"""Metrics for `kubectl top` and autoscalers: prometheus-adapter serves metrics.k8s.io and custom.metrics.k8s.io.

It queries a Prometheus that scrapes the kubelets, and federates the autoscalers' series from each stack's Prometheus.
Both run beside the control plane, as processes of the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local import paths
from local.cluster import certificates
from local.cluster.certificates import CLUSTER_CA, FRONT_PROXY_CA, key_pair
from local.cluster.control_plane import LOOPBACK_URL
from local.cluster.nodes import API_ADDRESS, API_PORT, Node
from local.host.files import write
from local.host.processes import ProcessSpec
from local.tools import go_tools

PROMETHEUS_PORT = 10290
ADAPTER_PORT = 10291
WINDOW = "30s"
SCRAPE_INTERVAL = "5s"


def scrape_configuration(nodes: list[Node]) -> dict[str, Any]:
    """Return the scrape configuration: each kubelet's resource metrics, labelled by node, and series of the stacks."""
    client = key_pair("prometheus")
    tls = {
        "ca_file": str(key_pair(CLUSTER_CA).certificate),
        "cert_file": str(client.certificate),
        "key_file": str(client.key),
    }
    targets = [{"targets": [f"{node.address}:10250"], "labels": {"node": node.name}} for node in nodes]
    return {
        "global": {"scrape_interval": SCRAPE_INTERVAL, "scrape_timeout": "4s"},
        "scrape_configs": [
            {
                "job_name": "kubelet",
                "scheme": "https",
                "metrics_path": "/metrics/resource",
                "tls_config": tls,
                "static_configs": targets,
            },
            *(federation(path, tls) for path in sorted(paths.ROOT.glob("Pulumi.*.yaml"))),
        ],
    }


def federation(stack_file: Path, tls: dict[str, str]) -> dict[str, object]:
    """Return the job that federates a stack's own Prometheus through the API server; down where there is none."""
    namespace = f"task-manager-{stack_file.name.split('.')[1]}"
    series = [rule["seriesQuery"] for rule in custom_rules()]
    return {
        "job_name": namespace,
        "scheme": "https",
        "metrics_path": f"/api/v1/namespaces/{namespace}/services/task-manager-prometheus:9090/proxy/federate",
        "params": {"match[]": series},
        "honor_labels": True,
        "tls_config": tls,
        "static_configs": [{"targets": [f"{API_ADDRESS}:{API_PORT}"]}],
    }


def custom_rules() -> list[dict[str, object]]:
    """Return the project's own rules for prometheus-adapter, the same that any cluster is given."""
    content = yaml.safe_load((paths.ROOT / "monitoring" / "prometheus-adapter.yaml").read_text())
    rules: list[dict[str, object]] = content["rules"]
    return rules


def adapter_rules() -> dict[str, Any]:
    """Return how CPU and memory of pods and nodes are computed, and the project's own metrics."""

    def by(expression: str) -> str:
        return f"sum by (<<.GroupBy>>) ({expression})"

    overrides = {label: {"resource": label} for label in ("namespace", "node", "pod")}

    def resource(name: str, pods: str, nodes: str) -> dict[str, object]:
        return {
            name: {
                "containerQuery": by(pods),
                "nodeQuery": by(nodes),
                "resources": {"overrides": overrides},
                "containerLabel": "container",
            }
        }

    labels = "{<<.LabelMatchers>>}"
    cpu = [f"rate({prefix}_cpu_usage_seconds_total{labels}[{WINDOW}])" for prefix in ("container", "node")]
    memory = [f"{prefix}_memory_working_set_bytes{labels}" for prefix in ("container", "node")]
    own = {**resource("cpu", *cpu), **resource("memory", *memory), "window": WINDOW}
    return {"resourceRules": own, "rules": custom_rules()}


def _write(name: str, content: dict[str, object]) -> Path:
    return write(paths.CONFIG / name, yaml.safe_dump(content))


def prometheus(nodes: list[Node]) -> ProcessSpec:
    certificates.issue("prometheus", CLUSTER_CA, "primetrade:prometheus")
    config = _write("prometheus.yaml", scrape_configuration(nodes))
    command = (
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={paths.CLUSTER / 'prometheus'}",
        "--storage.tsdb.retention.time=3h",
        f"--web.listen-address={API_ADDRESS}:{PROMETHEUS_PORT}",
        "--log.level=warn",
    )
    return ProcessSpec("prometheus", command, (config,))


@dataclass(frozen=True)
class AdapterEndpoints:
    """The adapter's own address and port, and the URLs of the API server and Prometheus that it queries."""

    address: str
    port: int
    api_server: str
    prometheus: str


LOCAL = AdapterEndpoints(API_ADDRESS, ADAPTER_PORT, LOOPBACK_URL, f"http://{API_ADDRESS}:{PROMETHEUS_PORT}")


def adapter(at: AdapterEndpoints = LOCAL) -> ProcessSpec:
    name = "prometheus-adapter.kube-system.svc"
    serving = certificates.issue("prometheus-adapter-serving", CLUSTER_CA, name, hosts=(name, at.address))
    client = certificates.issue("prometheus-adapter", CLUSTER_CA, "primetrade:prometheus-adapter")
    kubeconfig = certificates.kubeconfig(paths.CONFIG / "prometheus-adapter.kubeconfig", client, at.api_server)
    config = _write("prometheus-adapter.yaml", adapter_rules())
    command = (
        str(go_tools.binary("prometheus-adapter", "adapter")),
        f"--config={config}",
        f"--lister-kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--client-ca-file={key_pair(CLUSTER_CA).certificate}",
        f"--requestheader-client-ca-file={key_pair(FRONT_PROXY_CA).certificate}",
        f"--prometheus-url={at.prometheus}",
        # Series are found at its start and at each listing: the first pods are soon among them.
        "--metrics-relist-interval=10s",
        "--metrics-max-age=60s",
        f"--bind-address={at.address}",
        f"--secure-port={at.port}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
    )
    return ProcessSpec("prometheus-adapter", command, (config, kubeconfig))
