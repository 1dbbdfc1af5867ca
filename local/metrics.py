"""What `kubectl top` and autoscalers ask: Prometheus reads the kubelets, prometheus-adapter serves metrics.k8s.io.

Both run beside the control plane, as processes of the machine.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from local import certificates, paths, tools
from local.certificates import CLUSTER_CA, FRONT_PROXY_CA, pair
from local.control_plane import LOOPBACK_URL
from local.files import write
from local.nodes import API_ADDRESS, Node
from local.processes import Daemon

PROMETHEUS_PORT = 10290
ADAPTER_PORT = 10291
WINDOW = "30s"
SCRAPE_INTERVAL = "5s"


def scrape_configuration(nodes: list[Node]) -> dict[str, object]:
    """Return what Prometheus reads: each kubelet's resource metrics, labelled by node."""
    client = pair("prometheus")
    targets = [{"targets": [f"{node.address}:10250"], "labels": {"node": node.name}} for node in nodes]
    return {
        "global": {"scrape_interval": SCRAPE_INTERVAL, "scrape_timeout": "4s"},
        "scrape_configs": [
            {
                "job_name": "kubelet",
                "scheme": "https",
                "metrics_path": "/metrics/resource",
                "tls_config": {
                    "ca_file": str(pair(CLUSTER_CA).certificate),
                    "cert_file": str(client.certificate),
                    "key_file": str(client.key),
                },
                "static_configs": targets,
            }
        ],
    }


def adapter_rules() -> dict[str, object]:
    """Return how CPU and memory of pods and nodes are computed."""

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
    return {"resourceRules": {**resource("cpu", *cpu), **resource("memory", *memory), "window": WINDOW}}


def _write(name: str, content: dict[str, object]) -> Path:
    return write(paths.CONFIG / name, yaml.safe_dump(content))


def prometheus(nodes: list[Node]) -> Daemon:
    certificates.signed("prometheus", CLUSTER_CA, "primetrade:prometheus")
    config = _write("prometheus.yaml", scrape_configuration(nodes))
    command = (
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={paths.CLUSTER / 'prometheus'}",
        "--storage.tsdb.retention.time=3h",
        f"--web.listen-address={API_ADDRESS}:{PROMETHEUS_PORT}",
        "--log.level=warn",
    )
    return Daemon("prometheus", command, (config,))


def adapter() -> Daemon:
    name = "prometheus-adapter.kube-system.svc"
    serving = certificates.signed("prometheus-adapter-serving", CLUSTER_CA, name, hosts=(name, API_ADDRESS))
    client = certificates.signed("prometheus-adapter", CLUSTER_CA, "primetrade:prometheus-adapter")
    kubeconfig = certificates.kubeconfig(paths.CONFIG / "prometheus-adapter.kubeconfig", client, LOOPBACK_URL)
    config = _write("prometheus-adapter.yaml", adapter_rules())
    command = (
        str(tools.binary("prometheus-adapter", "adapter")),
        f"--config={config}",
        f"--lister-kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--client-ca-file={pair(CLUSTER_CA).certificate}",
        f"--requestheader-client-ca-file={pair(FRONT_PROXY_CA).certificate}",
        f"--prometheus-url=http://{API_ADDRESS}:{PROMETHEUS_PORT}",
        # Series are found at its start and at each listing: the first pods are soon among them.
        "--metrics-relist-interval=10s",
        "--metrics-max-age=60s",
        f"--bind-address={API_ADDRESS}",
        f"--secure-port={ADAPTER_PORT}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
    )
    return Daemon("prometheus-adapter", command, (config, kubeconfig))
