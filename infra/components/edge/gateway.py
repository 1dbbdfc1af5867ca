"""The way in (in phase 1 by setting): a Gateway that Traefik serves, with TLS, retries and load balancing.

The routes themselves are the chart's: they change with a release. What they refer to is here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from infra import names
from infra.components import network
from infra.components.base import Component, Target
from infra.components.network import Flow, Peer
from infra.config.phase_spec import Cdn, Edge
from infra.config.settings import Settings
from infra.config.types import LoadBalancing, Tls

GATEWAY_API: Final = "gateway.networking.k8s.io/v1"
TRAEFIK_API: Final = "traefik.io/v1alpha1"

SOLVER_LABELS: Final = {"acme.cert-manager.io/http01-solver": "true"}
SOLVER_PORT: Final = 8089
"""Label and port of the pods that answer an HTTP-01 challenge, as cert-manager makes them in the stack's namespace."""

_HTTP_PROGRAMMED: Final = (
    'jsonpath={.status.listeners[?(@.name=="http")].conditions[?(@.type=="Programmed")].status}=True'
)


def gateway_spec(gateway_class: str, hostname: str, ports: Mapping[str, int]) -> dict[str, Any]:
    """Two listeners, for routes of the stack's own namespace alone."""
    listeners: list[dict[str, Any]] = [
        {
            "name": name,
            "port": port,
            "protocol": name.upper(),
            "allowedRoutes": {"namespaces": {"from": "Same"}},
            **({"hostname": hostname} if hostname else {}),
        }
        for name, port in ports.items()
    ]
    listeners[1]["tls"] = {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": names.TLS_SECRET}]}
    return {"gatewayClassName": gateway_class, "listeners": listeners}


def redirect_spec(url_tls: str) -> dict[str, Any]:
    """A route that answers every plain request with the same address by TLS."""
    to = urlsplit(url_tls)
    return {
        "parentRefs": [{"name": names.GATEWAY, "sectionName": "http"}],
        "rules": [
            {
                "filters": [
                    {
                        "type": "RequestRedirect",
                        "requestRedirect": {"scheme": "https", "port": to.port or 443, "statusCode": 301},
                    }
                ]
            }
        ],
    }


def dns_record(hostname: str, status: Mapping[str, Any] | None) -> str:
    """The DNS record that leads a name to a Gateway, by the Gateway's status."""
    for address in (status or {}).get("addresses") or []:
        value = str(address["value"])
        kind = "CNAME" if address.get("type") == "Hostname" else "AAAA" if ":" in value else "A"
        return f"{hostname} {kind} {value}"
    return f"{hostname}: the gateway had no address at the last update: kubectl get gateway {names.GATEWAY} shows it"


@dataclass(frozen=True)
class Acme:
    """A certificate by ACME, which cert-manager orders for an annotated Gateway.

    Args:
        issuer: the ClusterIssuer.
        gateway_namespace: where Traefik runs, which asks the solver's pod on behalf of the authority (HTTP-01).
    """

    issuer: str
    gateway_namespace: str

    @property
    def annotations(self) -> dict[str, str]:
        return {"cert-manager.io/cluster-issuer": self.issuer}


class _GatewayObject(pulumi.CustomResource):
    """The Gateway with its status, which the generic `CustomResource` does not give out."""

    status: pulumi.Output[Any]

    def __init__(
        self, name: str, *, metadata: meta.ObjectMetaArgs, spec: Mapping[str, Any], opts: pulumi.ResourceOptions
    ) -> None:
        properties = {"apiVersion": GATEWAY_API, "kind": "Gateway", "metadata": metadata, "spec": spec, "status": None}
        super().__init__(f"kubernetes:{GATEWAY_API}:Gateway", name, properties, opts)


class Gateway(Component):
    """The Gateway and what the chart's route refers to.

    Args:
        gateway_class: the class that Traefik serves.
        hostname: the only host that is answered for; empty for any.
        ports: of the listeners `http` and `https`. Traefik joins a listener to the entry point that listens on the same
            port in its pod, whatever port its Service shows outside.
        balanced: services of the API that get a balancer, which asks two pods at random and takes the one with fewer
            requests open.
        redirect_to: address by TLS that plain requests are sent on to; empty to serve them.
        acme: who certifies the hostname; None where the certificate comes from elsewhere.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        gateway_class: str,
        hostname: str,
        ports: Mapping[str, int],
        balanced: Sequence[str],
        redirect_to: str,
        acme: Acme | None,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        self._gateway = _GatewayObject(
            f"{name}-gateway",
            metadata=self.metadata(
                names.GATEWAY,
                annotations={
                    # A certificate comes when DNS leads here, so what is waited for is the listener of its challenge:
                    # Traefik programs each listener by itself, and the Gateway when all are.
                    "pulumi.com/waitFor": _HTTP_PROGRAMMED if acme else "condition=Programmed",
                    **(acme.annotations if acme else {}),
                },
            ),
            spec=gateway_spec(gateway_class, hostname, ports),
            opts=self.options(minutes=3),
        )
        if acme:
            networking.NetworkPolicy(
                f"{name}-acme-solver",
                metadata=self.metadata(f"{names.GATEWAY}-acme-solver"),
                spec=network.spec(
                    SOLVER_LABELS, ingress=(Flow(Peer(namespace=acme.gateway_namespace), (SOLVER_PORT,)),)
                ),
                opts=self.options(),
            )
        CustomResource(
            f"{name}-retry",
            api_version=TRAEFIK_API,
            kind="Middleware",
            metadata=self.metadata(names.RETRY),
            # For a pod that is gone and still in the list, or gone in the middle of an answer. Traefik sends a request
            # again when nothing of it had been sent, whatever its method, and after a 502 (its own word for a broken
            # connection) only where the method is idempotent: a POST is never done twice (pkg/middlewares/retry).
            spec={
                "retry": {
                    # Waits grow from 0.1 to 0.2 s (pkg/middlewares/retry: they at most double over all attempts), about
                    # 0.7 s together: what a list of pods that is short of CPU needs to be brought up to date.
                    "attempts": 6,
                    "initialInterval": "100ms",
                    "status": ["502"],
                    "maxRequestBodyBytes": 64 * 1024,
                }
            },
            opts=self.options(),
        )
        for each in map(names.ServiceNames, balanced):
            servers = {"name": each.release, "port": names.API_PORT, "weight": 1, "strategy": "p2c"}
            CustomResource(
                f"{name}-balancer{each.suffix}",
                api_version=TRAEFIK_API,
                kind="TraefikService",
                metadata=self.metadata(each.balancer),
                spec={"weighted": {"services": [servers]}},
                opts=self.options(),
            )
        if redirect_to:
            CustomResource(
                f"{name}-redirect",
                api_version=GATEWAY_API,
                kind="HTTPRoute",
                metadata=self.metadata(f"{names.GATEWAY}-redirect"),
                spec=redirect_spec(redirect_to),
                opts=self.options(self._gateway),
            )
        self.register_outputs({"gateway": names.GATEWAY})

    def dns_record(self, hostname: str) -> pulumi.Output[str]:
        """The DNS record that leads a name here, by the address that the Gateway had at the last update."""
        return self._gateway.status.apply(lambda status: dns_record(hostname, status))


def gateway(settings: Settings, target: Target, after: Sequence[pulumi.Resource]) -> Iterator[Gateway]:
    """Yield the Gateway, if requests come through one; its DNS record is an output of the stack."""
    if settings.edge is not Edge.GATEWAY:
        return
    own = settings.gateway
    made = Gateway(
        "gateway",
        target,
        gateway_class=own.class_name,
        hostname=settings.hostname,
        ports={"http": own.port, "https": own.port_tls},
        balanced=tuple(settings.row.services) if own.load_balancing is LoadBalancing.LEAST_LOADED else (),
        redirect_to=settings.addresses()[1] if own.redirect_http else "",
        acme=Acme(own.issuer, own.namespace) if own.certificate is Tls.ACME else None,
        after=after,
    )
    if settings.hostname and settings.cdn_kind is not Cdn.CLOUDFLARE:
        pulumi.export("dns", made.dns_record(settings.hostname))
    yield made
