"""Gateways that a cluster has before the stack: their class, their namespace and where they listen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from infra.config.sections import Gateway
from infra.config.types import GatewayKind


@dataclass(frozen=True)
class InstalledGateway:
    """A gateway that serves the stacks of a cluster.

    Args:
        class_name: its GatewayClass.
        namespace: where its pods and its Service are.
        port: of the listener for plain HTTP.
        port_tls: of the listener for TLS.
    """

    class_name: str
    namespace: str
    port: int
    port_tls: int


DEFAULTS: Final[Mapping[GatewayKind, InstalledGateway]] = {
    # Traefik joins a listener to the entry point of the same port in its pod: its chart's `web` and `websecure`.
    GatewayKind.TRAEFIK: InstalledGateway("traefik", "traefik", 8000, 8443),
    # Kong's controller joins a listener to the port of the same number of the proxy's Service: its chart's.
    GatewayKind.KONG: InstalledGateway("kong", "kong", 80, 443),
}
"""As the charts install them. Istio's is not among them: each stack has one of its own."""


def installed_gateway(kind: GatewayKind, own: Gateway) -> InstalledGateway:
    """Return the gateway of a kind as a stack's settings describe it, by default as its chart installs it."""
    default = DEFAULTS[kind]
    return InstalledGateway(
        own.class_name or default.class_name,
        own.namespace or default.namespace,
        own.port or default.port,
        own.port_tls or default.port_tls,
    )
