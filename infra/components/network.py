"""Network policies: flows between pods. The namespace denies all others.

A flow needs its two ends: the policy of the caller lets it out, the policy of the called lets it in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from infra import names
from infra.config.settings import Settings
from infra.config.types import GatewayKind

EVERY_ADDRESS: Final = {"0.0.0.0/0": ("169.254.0.0/16",), "::/0": ("fe80::/10", "fd00:ec2::/32", "fd20:ce::254/128")}
"""Both families, each with what is left out of it: link-local addresses, and the metadata services of Amazon
(fd00:ec2::254) and Google (fd20:ce::254) by IPv6, since they hand out the node's credentials."""

DUAL_STACK: Final = "PreferDualStack"
"""For a Service: an address of each family that the cluster has."""


@dataclass(frozen=True)
class Peer:
    """The other end of a flow: pods of this namespace, of another or of all, or addresses.

    Args:
        pods: labels of the pods; None for all of them.
        namespace: None for the policy's own.
        blocks: address blocks, instead of pods.
        outside: every address but a node's own, instead of pods.
        anywhere: the same, and pods of every namespace: in some networks those have no address in any block.
    """

    pods: Mapping[str, str] | None = None
    namespace: str | None = None
    blocks: tuple[str, ...] = ()
    outside: bool = False
    anywhere: bool = False

    def args(self) -> list[networking.NetworkPolicyPeerArgs]:
        """The peer as the API writes it."""
        if self.blocks:
            return [_block(block) for block in self.blocks]
        if self.outside or self.anywhere:
            every_pod = [networking.NetworkPolicyPeerArgs(namespace_selector=meta.LabelSelectorArgs())]
            return [*map(_block, EVERY_ADDRESS), *(every_pod if self.anywhere else [])]
        return [
            networking.NetworkPolicyPeerArgs(
                pod_selector=meta.LabelSelectorArgs(match_labels=self.pods)
                if self.pods is not None or self.namespace is None
                else None,
                namespace_selector=meta.LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": self.namespace})
                if self.namespace
                else None,
            )
        ]


def _block(cidr: str) -> networking.NetworkPolicyPeerArgs:
    return networking.NetworkPolicyPeerArgs(ip_block=networking.IPBlockArgs(cidr=cidr, except_=EVERY_ADDRESS.get(cidr)))


@dataclass(frozen=True)
class Flow:
    """Calls that are allowed.

    Args:
        peer: who calls, or who is called.
        ports: where the called listens.
        protocols: of each port.
    """

    peer: Peer
    ports: tuple[int, ...]
    protocols: tuple[str, ...] = ("TCP",)

    def port_args(self) -> list[networking.NetworkPolicyPortArgs]:
        """Each port with each protocol."""
        return [
            networking.NetworkPolicyPortArgs(port=port, protocol=protocol)
            for port in self.ports
            for protocol in self.protocols
        ]


def host_blocks(addresses: Sequence[str]) -> tuple[str, ...]:
    """Address blocks of one address each."""
    return tuple(str(ip_network(address)) for address in addresses)


def dns(node_local: Sequence[str]) -> tuple[Flow, ...]:
    """Look-ups of names: at the pods of the cluster's DNS, and at the cache that a node may have.

    Args:
        node_local: addresses of that cache. It is in the node's own network, so no selector of pods finds it.
    """
    servers = [Peer(namespace="kube-system"), *([Peer(blocks=host_blocks(node_local))] if node_local else [])]
    return tuple(Flow(server, (53,), ("UDP", "TCP")) for server in servers)


def scraper(settings: Settings) -> Peer | None:
    """Return the Prometheus that scrapes the stack's pods; None where there is none."""
    if settings.row.monitoring is None:
        return None
    if settings.own_monitoring:
        return Peer(names.PROMETHEUS_LABELS)
    return Peer(namespace=settings.monitoring.namespace)


def gateway(settings: Settings) -> Peer:
    """Return the pods that requests come through: Traefik's or Kong's namespace, or Istio's pods in the stack's own."""
    if settings.gateway_kind is GatewayKind.ISTIO:
        return Peer(names.ISTIO_GATEWAY_LABELS)
    return Peer(namespace=settings.installed_gateway.namespace)


def istiod(settings: Settings) -> Flow:
    """Return the calls of proxies to their control plane."""
    return Flow(Peer(names.ISTIOD_LABELS, settings.mesh.namespace), (names.ISTIOD_PORT,))


def api_server(blocks: Sequence[str], ports: Sequence[int]) -> Flow:
    """Calls of the API server, which is no pod.

    Args:
        blocks: its addresses, and its Service's; without any, its ports are open at every address.
        ports: where it listens: that of its Service, and that behind it.
    """
    return Flow(Peer(blocks=tuple(blocks), outside=not blocks), tuple(ports))


def spec(
    pods: Mapping[str, str], ingress: tuple[Flow, ...] = (), egress: tuple[Flow, ...] = ()
) -> networking.NetworkPolicySpecArgs:
    """A policy's specification: what the pods with these labels may be called by, and may call."""
    return networking.NetworkPolicySpecArgs(
        pod_selector=meta.LabelSelectorArgs(match_labels=pods),
        policy_types=["Ingress", "Egress"],
        ingress=[
            networking.NetworkPolicyIngressRuleArgs(from_=flow.peer.args(), ports=flow.port_args()) for flow in ingress
        ],
        egress=[networking.NetworkPolicyEgressRuleArgs(to=flow.peer.args(), ports=flow.port_args()) for flow in egress],
    )
