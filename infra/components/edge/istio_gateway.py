"""Pods of Istio's gateway: how istiod makes them, and what they may call and be called by.

istiod makes Deployment, Service, ServiceAccount and budget of a Gateway of its class; the ConfigMap that the Gateway
names is merged into them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pulumi
import yaml
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.networking import v1 as networking

from infra import names
from infra.components import network
from infra.components.base import Component, Target
from infra.components.network import Flow, Peer
from infra.config.phase_spec import Cdn, Mesh
from infra.config.settings import Settings
from infra.config.types import Tls

STATUS_PORT: Final = 15021
"""Where load balancers ask for the gateway's health; a port of its Service."""

# The gateway's tracer makes trace ids and has no collector: each export that fails would be an error in the log.
ANNOTATIONS: Final = {"sidecar.istio.io/componentLogLevel": "misc:error,tracing:off"}
"""Of the Gateway: what istiod makes the arguments of its pods from."""

_DRAIN: Final = 10
"""Seconds in which the endpoints forget a stopping pod, which closes its connections meanwhile."""


def parameters(
    row: Mesh, trusted_proxies: int, node_ports: Mapping[str, int | None], *, scraped: bool
) -> dict[str, dict[str, Any]]:
    """What istiod merges into the gateway's objects.

    Args:
        row: number and size of the pods.
        trusted_proxies: entries at the end of X-Forwarded-For that proxies before the gateway have written.
        node_ports: by the name of the listener; None where Kubernetes chooses.
        scraped: whether Prometheus scrapes the pods, by the port of Envoy's own metrics.
    """
    proxy = {
        "gatewayTopology": {"numTrustedProxies": trusted_proxies},
        "terminationDrainDuration": f"{_DRAIN}s",
    }
    named = {name: port for name, port in node_ports.items() if port is not None}
    service = {
        "type": "NodePort",
        "ports": [
            {"name": name, "port": names.ISTIO_GATEWAY_PORTS[name], "nodePort": port} for name, port in named.items()
        ],
    }
    return {
        "deployment": {
            "spec": {
                "replicas": row.gateways,
                "template": {
                    "metadata": {
                        "annotations": {
                            "proxy.istio.io/config": yaml.safe_dump(proxy, sort_keys=False),
                            # Prometheus has a job for gateways; by this annotation it would scrape them twice.
                            **({"prometheus.io/scrape": "false"} if scraped else {}),
                        }
                    },
                    "spec": {
                        "terminationGracePeriodSeconds": 3 * _DRAIN,
                        "containers": [{"name": "istio-proxy", "resources": row.gateway.resources()}],
                        "topologySpreadConstraints": [
                            {
                                "topologyKey": "kubernetes.io/hostname",
                                "maxSkew": 1,
                                "whenUnsatisfiable": "ScheduleAnyway",
                                "labelSelector": {"matchLabels": names.ISTIO_GATEWAY_LABELS},
                            }
                        ],
                    },
                },
            }
        },
        **({"service": {"spec": service}} if named else {}),
        "podDisruptionBudget": {"spec": {"maxUnavailable": 1}},
    }


def trusted_proxies(settings: Settings) -> int:
    """Proxies before the gateway whose X-Forwarded-For is believed: those that the API trusts, without the gateway."""
    hops = settings.gateway.trusted_hops
    if hops is not None:
        return max(0, hops - 1)
    return 1 if settings.cdn_kind is Cdn.CLOUDFLARE else 0


def flows(settings: Settings) -> tuple[tuple[Flow, ...], tuple[Flow, ...]]:
    """Who may call the gateway's pods, and whom they may call."""
    scraper = network.scraper(settings)
    # Clients and load balancers come from outside, and some networks rewrite their addresses on the way.
    clients = Flow(Peer(anywhere=True), (*names.ISTIO_GATEWAY_PORTS.values(), STATUS_PORT))
    ingress = (clients, *([Flow(scraper, (names.PROXY_METRICS_PORT,))] if scraper else []))
    return ingress, (network.istiod(settings), *_called(settings))


def _called(settings: Settings) -> Iterator[Flow]:
    for service in settings.row.services:
        yield Flow(Peer(names.ServiceNames(service).labels), (names.API_PORT,))
    if settings.cdn_kind is Cdn.EDGE:
        yield Flow(Peer(names.EDGE_LABELS), (names.EDGE_PORT,))
    if settings.gateway.certificate is Tls.ACME:
        yield Flow(Peer(names.ACME_SOLVER_LABELS), (names.ACME_SOLVER_PORT,))


class IstioGatewayPods(Component):
    """What the gateway's pods need before istiod makes them.

    Args:
        settings: the stack's.
        row: number and size of the pods.
    """

    def __init__(
        self, name: str, target: Target, *, settings: Settings, row: Mesh, after: Sequence[pulumi.Resource]
    ) -> None:
        super().__init__(name, target, after)
        own = settings.gateway
        merged = parameters(
            row,
            trusted_proxies(settings),
            {"http": own.node_port, "https": own.node_port_tls},
            scraped=network.scraper(settings) is not None,
        )
        core.ConfigMap(
            f"{name}-parameters",
            metadata=self.metadata(names.ISTIO_GATEWAY),
            data={part: yaml.safe_dump(content, sort_keys=False) for part, content in merged.items()},
            opts=self.options(),
        )
        ingress, egress = flows(settings)
        networking.NetworkPolicy(
            f"{name}-flows",
            metadata=self.metadata(names.ISTIO_GATEWAY),
            spec=network.spec(names.ISTIO_GATEWAY_LABELS, ingress=ingress, egress=egress),
            opts=self.options(),
        )
        self.register_outputs({"parameters": names.ISTIO_GATEWAY})
