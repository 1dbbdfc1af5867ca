"""Metrics: of pods and nodes, those that autoscalers ask for, and a Prometheus for all environments."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from infra import names
from infra.platform.addons.definition import Addon, Values, api_service, crd, requests
from infra.platform.addons.settings import AddonSettings
from infra.platform.clusters.base import ConnectedCluster

NAMESPACE: Final = "monitoring"
RULES: Final = Path(__file__).resolve().parents[3] / "monitoring" / "prometheus-adapter.yaml"
_PROMETHEUS_PORT: Final = 9090


def _metrics_server(_: AddonSettings, __: ConnectedCluster) -> Values:
    return {
        # The API server verifies it: cert-manager makes its certificate, and puts the authority into the APIService.
        "tls": {"type": "cert-manager"},
        "apiService": {"insecureSkipTLSVerify": False},
        "resources": requests(50, 100, 256),
    }


def prometheus_address(settings: AddonSettings) -> str:
    """Return the address of the Prometheus that prometheus-adapter queries."""
    if settings.prometheus:
        return settings.prometheus
    if settings.installs("prometheus_operator"):
        return f"http://kube-prometheus-stack-prometheus.{NAMESPACE}.svc:{_PROMETHEUS_PORT}"
    namespace = f"{names.PROJECT}-{settings.environment}"
    return f"http://{names.PROJECT}-prometheus.{namespace}.svc:{_PROMETHEUS_PORT}"


def _rules() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["rules"]
    return rules


def _adapter(settings: AddonSettings, _: ConnectedCluster) -> Values:
    address = urlsplit(prometheus_address(settings))
    port = address.port or {"http": 80, "https": 443}[address.scheme]
    return {
        "prometheus": {"url": f"{address.scheme}://{address.hostname}", "port": port, "path": address.path},
        "rules": {"default": False, "custom": _rules()},
        # Series are found at its start and at each listing: the first pods are soon among them.
        "metricsRelistInterval": "10s",
        "certManager": {"enabled": True},
        "resources": requests(25, 64, 256),
    }


def _operator(_: AddonSettings, __: ConnectedCluster) -> Values:
    everything = {
        f"{kind}SelectorNilUsesHelmValues": False
        for kind in ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig")
    }
    return {
        "prometheus": {
            "prometheusSpec": {
                **everything,
                "retention": "15d",
                "resources": requests(100, 768, 2048),
                "storageSpec": {
                    "volumeClaimTemplate": {
                        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}}
                    }
                },
            }
        },
        # Dashboards come as ConfigMaps of the environments, each in its own namespace.
        "grafana": {"sidecar": {"dashboards": {"searchNamespace": "ALL"}}},
    }


ADDONS: Final = (
    Addon(
        "prometheus_operator",
        NAMESPACE,
        _operator,
        crd("prometheuses.monitoring.coreos.com"),
        minutes=10,
    ),
    Addon(
        "metrics_server",
        "kube-system",
        _metrics_server,
        api_service("v1beta1.metrics.k8s.io"),
        after=("cert_manager",),
    ),
    Addon(
        "prometheus_adapter",
        NAMESPACE,
        _adapter,
        api_service("v1beta1.custom.metrics.k8s.io"),
        after=("cert_manager", "prometheus_operator"),
    ),
)
