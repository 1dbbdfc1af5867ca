"""Network policies: flows between pods. The namespace denies all others.

A flow needs its two ends: the policy of the caller lets it out, the policy of the called lets it in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from infra import names
from infra.config.settings import Settings

EVERY_ADDRESS: Final = ("0.0.0.0/0", "::/0")
"""Of either family, whichever the cluster has."""

DUAL_STACK: Final = "PreferDualStack"
"""For a Service: an address of each family that the cluster has."""


@dataclass(frozen=True)
class Peer:
    """The other end of a flow: pods of this namespace, of another, certain addresses, or any.

    Args:
        pods: labels of the pods; None for all of them.
        namespace: None for the policy's own.
        anywhere: addresses in and out of the cluster, pods included.
        blocks: addresses that are always the same, in CIDR notation.
    """

    pods: Mapping[str, str] | None = None
    namespace: str | None = None
    anywhere: bool = False
    blocks: tuple[str, ...] = ()

    def args(self) -> list[networking.NetworkPolicyPeerArgs]:
        """The peer as the API writes it."""
        if blocks := EVERY_ADDRESS if self.anywhere else self.blocks:
            return [networking.NetworkPolicyPeerArgs(ip_block=networking.IPBlockArgs(cidr=block)) for block in blocks]
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


DNS = Flow(Peer(namespace="kube-system"), (53,), ("UDP", "TCP"))


def scraper(settings: Settings) -> Peer | None:
    """Return the Prometheus that scrapes the stack's pods; None where there is none."""
    if settings.row.monitoring is None:
        return None
    if settings.own_monitoring:
        return Peer(names.PROMETHEUS_LABELS)
    return Peer(namespace=settings.monitoring.namespace)


def api_server(ports: tuple[int, ...]) -> Flow:
    """Calls of the API server, which a NetworkPolicy cannot name: it is no pod, and its address differs by cluster.

    Args:
        ports: where it listens: that of its Service, and that behind it.
    """
    return Flow(Peer(anywhere=True), ports)


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
