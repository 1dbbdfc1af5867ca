"""Evaluator of NetworkPolicies: whether those of some namespaces let one end call the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from infra import names

Manifest = Mapping[str, Any]

NAMED_PORTS = {"http": names.API_PORT, "metrics": names.API_METRICS_PORT}
"""Ports that policies of the chart call by name."""


@dataclass(frozen=True)
class Pod:
    """A pod.

    Args:
        address: whether it matches an ipBlock is up to the network: with Calico it does by this, with Cilium never
            (None).
    """

    namespace: str
    labels: Mapping[str, str]
    address: str | None = None


End = Pod | str
"""A pod, or an address outside of the cluster."""


class Policies:
    """All policies of the cluster.

    Args:
        manifests: objects with metadata and spec; of other kinds than NetworkPolicy they are left out.
    """

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self._specs = [
            (manifest["metadata"]["namespace"], manifest["spec"])
            for manifest in manifests
            if manifest.get("kind") == "NetworkPolicy"
        ]

    def allow(self, source: End, target: End, port: int, protocol: str = "TCP") -> bool:
        """Whether the source's policies let the call out, and the target's let it in."""
        return self._lets("Egress", source, target, port, protocol) and self._lets(
            "Ingress", target, source, port, protocol
        )

    def ports(self) -> set[int]:
        """Every port that some policy names."""
        return {
            _number(port)
            for _, spec in self._specs
            for direction in ("egress", "ingress")
            for rule in spec.get(direction, [])
            for port in rule.get("ports", [])
        }

    def _lets(self, direction: str, own: End, other: End, port: int, protocol: str) -> bool:
        if isinstance(own, str):
            return True
        policies = list(self._of(own, direction))
        return not policies or any(
            _names_port(rule, port, protocol) and _names_peer(rule, other, own.namespace)
            for policy in policies
            for rule in policy.get(direction.lower()) or []
        )

    def _of(self, pod: Pod, direction: str) -> Iterator[Manifest]:
        for namespace, spec in self._specs:
            if namespace == pod.namespace and direction in spec["policyTypes"] and selects(spec["podSelector"], pod):
                yield spec


def selects(selector: Manifest, pod: Pod) -> bool:
    """Whether a podSelector is about a pod."""
    return _matches(selector, pod.labels)


def _matches(selector: Manifest, labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, "this evaluator knows matchLabels alone"
    return dict(selector.get("matchLabels") or {}).items() <= labels.items()


def _number(port: Manifest) -> int:
    return NAMED_PORTS.get(port["port"]) or int(port["port"])


def _names_port(rule: Manifest, port: int, protocol: str) -> bool:
    listed = rule.get("ports")
    return not listed or any((_number(each), each.get("protocol", "TCP")) == (port, protocol) for each in listed)


def _names_peer(rule: Manifest, other: End, namespace: str) -> bool:
    peers = rule.get("from", rule.get("to"))
    return not peers or any(_is(peer, other, namespace) for peer in peers)


def _is(peer: Manifest, other: End, namespace: str) -> bool:
    if "ipBlock" in peer:
        address = other.address if isinstance(other, Pod) else other
        return address is not None and _within(peer["ipBlock"], ip_address(address))
    if isinstance(other, str):
        return False
    if "namespaceSelector" in peer:
        there = _matches(peer["namespaceSelector"], {"kubernetes.io/metadata.name": other.namespace})
    else:
        there = other.namespace == namespace
    return there and selects(peer.get("podSelector", {}), other)


def _within(block: Manifest, address: IPv4Address | IPv6Address) -> bool:
    return address in ip_network(block["cidr"]) and not any(
        address in ip_network(out) for out in block.get("except") or []
    )
