"""The way in (in phase 1 by setting): a Gateway of Traefik, Istio or Kong, with TLS, retries and load balancing.

The routes themselves are the chart's: they change with a release. What they refer to is here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import pulumi
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from infra import names
from infra.components import network
from infra.components.base import Component, Target
from infra.components.edge import istio_gateway, istio_policies, kong, traefik
from infra.components.edge.gateway_extension import GatewayExtension
from infra.components.network import Flow, Peer
from infra.config.phase_spec import Cdn, Edge
from infra.config.settings import Settings
from infra.config.types import GatewayKind, LoadBalancing, Tls

GATEWAY_API: Final = "gateway.networking.k8s.io/v1"

_HTTP_PROGRAMMED: Final = (
    'jsonpath={.status.listeners[?(@.name=="http")].conditions[?(@.type=="Programmed")].status}=True'
)


def gateway_spec(
    gateway_class: str, hostname: str, ports: Mapping[str, int], infrastructure: Mapping[str, Any] | None = None
) -> dict[str, Any]:
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
    return {
        "gatewayClassName": gateway_class,
        **({"infrastructure": infrastructure} if infrastructure else {}),
        "listeners": listeners,
    }


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
        asked_by: the gateway, which asks the solver's pod on behalf of the authority (HTTP-01).
    """

    issuer: str
    asked_by: Peer

    @property
    def annotations(self) -> dict[str, str]:
        return {"cert-manager.io/cluster-issuer": self.issuer}


class _Object(pulumi.CustomResource):
    """An object of any kind and any fields: the SDK's `CustomResource` has a specification alone, and no status."""

    status: pulumi.Output[Any]

    def __init__(
        self,
        name: str,
        *,
        api_version: str,
        kind: str,
        metadata: meta.ObjectMetaArgs,
        opts: pulumi.ResourceOptions,
        **fields: Any,
    ) -> None:
        properties = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
        super().__init__(f"kubernetes:{api_version}:{kind}", name, properties, opts)


class Gateway(Component):
    """The Gateway and what the chart's route refers to.

    Args:
        spec: the Gateway's.
        extensions: what its implementation adds to it: policies, and what routes refer to.
        redirect_to: address by TLS that a route sends plain requests on to; empty for no such route.
        acme: who certifies the hostname; None where the certificate comes from elsewhere.
        annotations: what else its implementation reads.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        spec: Mapping[str, Any],
        extensions: Iterable[GatewayExtension],
        redirect_to: str,
        acme: Acme | None,
        annotations: Mapping[str, str],
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        self._gateway = _Object(
            f"{name}-gateway",
            api_version=GATEWAY_API,
            kind="Gateway",
            metadata=self.metadata(
                names.GATEWAY,
                annotations={
                    # A certificate comes when DNS leads here, so what is waited for is the listener of its challenge:
                    # Traefik programs each listener by itself, and the Gateway when all are.
                    "pulumi.com/waitFor": _HTTP_PROGRAMMED if acme else "condition=Programmed",
                    **(acme.annotations if acme else {}),
                    **annotations,
                },
            ),
            spec=spec,
            status=None,
            opts=self.options(minutes=3),
        )
        if acme:
            networking.NetworkPolicy(
                f"{name}-acme-solver",
                metadata=self.metadata(f"{names.GATEWAY}-acme-solver"),
                spec=network.spec(names.ACME_SOLVER_LABELS, ingress=(Flow(acme.asked_by, (names.ACME_SOLVER_PORT,)),)),
                opts=self.options(),
            )
        for each in extensions:
            _Object(
                f"{name}-{each.resource}",
                api_version=each.api_version,
                kind=each.kind,
                metadata=self.metadata(each.name, annotations=dict(each.annotations) or None),
                opts=self.options(),
                **each.fields,
            )
        if redirect_to:
            _Object(
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


def gateway(settings: Settings, target: Target, after: Sequence[pulumi.Resource]) -> Iterator[pulumi.Resource]:
    """Yield the Gateway, if requests come through one; its DNS record is an output of the stack."""
    if settings.edge is not Edge.GATEWAY:
        return
    own, kind = settings.gateway, settings.gateway_kind
    if kind is GatewayKind.ISTIO and settings.row.mesh:
        # istiod makes the gateway's pods as soon as it sees the Gateway: what they are like comes first.
        pods = istio_gateway.IstioGatewayPods(
            "gateway-pods", target, settings=settings, row=settings.row.mesh, after=after
        )
        yield pods
        after = [*after, pods]
    made = Gateway(
        "gateway",
        target,
        spec=_spec(settings),
        extensions=_extensions(settings, target.namespace),
        # With Kong it is the services' routes that redirect.
        redirect_to=settings.addresses()[1] if own.redirect_http and kind is not GatewayKind.KONG else "",
        acme=Acme(own.issuer, network.gateway(settings)) if own.certificate is Tls.ACME else None,
        annotations=istio_gateway.ANNOTATIONS if kind is GatewayKind.ISTIO else {},
        after=after,
    )
    if settings.hostname and settings.cdn_kind is not Cdn.CLOUDFLARE:
        pulumi.export("dns", made.dns_record(settings.hostname))
    yield made


def _spec(settings: Settings) -> dict[str, Any]:
    if settings.gateway_kind is GatewayKind.ISTIO:
        parameters = {"parametersRef": {"group": "", "kind": "ConfigMap", "name": names.ISTIO_GATEWAY}}
        ports = names.ISTIO_GATEWAY_PORTS
        return gateway_spec(names.GATEWAY_CLASS_OF_ISTIO, settings.hostname, ports, parameters)
    installed = settings.installed_gateway
    ports = {"http": installed.port, "https": installed.port_tls}
    return gateway_spec(installed.class_name, settings.hostname, ports)


def _extensions(settings: Settings, namespace: str) -> Iterator[GatewayExtension]:
    match settings.gateway_kind:
        case GatewayKind.ISTIO:
            yield from istio_policies.extensions(settings, namespace)
        case GatewayKind.KONG:
            yield from kong.extensions(settings, namespace)
        case GatewayKind.TRAEFIK:
            least_loaded = settings.gateway.load_balancing is LoadBalancing.LEAST_LOADED
            yield from traefik.extensions(settings.releases if least_loaded else ())
