"""Addresses at which a stack answers.

A stack that names no host has an address on loopback: right for the local cluster, and for one whose ports are mapped
there. For any other cluster the address is found in its objects.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from infra.names import PROJECT, RELEASE
from local import paths
from local.errors import LocalError
from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.kubeconfig import load
from local.stack.place import Place

_PORTS: Final = {"http": 80, "https": 443}


def candidates(outputs: Mapping[str, Any], place: Place, scheme: str = "http") -> list[str]:
    """Return the addresses at which the stack may answer, the likeliest first.

    Args:
        outputs: the stack's.
        scheme: `http`, or `https` for its address by TLS.

    Raises:
        LocalError: the cluster cannot be asked, or nothing in it has an address.
    """
    own = str(outputs["url" if scheme == "http" else "url_tls"])
    kubeconfig = paths.external_kubeconfig()
    if kubeconfig is None or not is_loopback(own):
        return [own]
    has_gateway = "url_tls" in outputs
    found = list(_of_gateway(place, scheme) if has_gateway else _of_node_port(place))
    try:
        server = load(kubeconfig, place.context or None).server
    except ProviderError as error:
        raise LocalError(str(error)) from error
    if is_loopback(server):
        found.insert(0, own)
    if not found:
        raise LocalError(f"nothing in the cluster has an address: set {PROJECT}:url to the one by which it is reached")
    return found


def is_loopback(url: str) -> bool:
    """Tell whether an address is one of this machine alone."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def first_answering(addresses: Sequence[str], seconds: float = 60) -> str:
    """Return the first address that answers that it is ready.

    Raises:
        LocalError: none does within the time.
    """
    attempts = Retrying(
        retry=retry_if_result(lambda found: found is None), stop=stop_after_delay(seconds), wait=wait_fixed(0.5)
    )
    problems: dict[str, str] = {}
    try:
        return str(attempts(_look, addresses, problems))
    except RetryError as error:
        told = "; ".join(f"{address} does not answer: {problem}" for address, problem in problems.items())
        raise LocalError(f"{told}; {PROJECT}:url says at which address the stack is reached") from error


def _look(addresses: Sequence[str], problems: dict[str, str]) -> str | None:
    for address in addresses:
        try:
            requests.get(f"{address}/health/ready", timeout=5).raise_for_status()
        except requests.RequestException as error:
            problems[address] = " ".join(str(error).split())
        else:
            return address
    return None


def _of_node_port(place: Place) -> Iterator[str]:
    """Phase 1: every node leads to the API."""
    for service in place.objects("services"):
        if service["metadata"]["name"] == RELEASE:
            for port in service["spec"]["ports"]:
                if port.get("nodePort"):
                    yield from _of_nodes(place, "http", port["nodePort"])


def _of_gateway(place: Place, scheme: str) -> Iterator[str]:
    """The addresses that the Gateway reports, then those of its implementation's Services."""
    for gateway in place.objects("gateways.gateway.networking.k8s.io"):
        for address in gateway.get("status", {}).get("addresses") or []:
            yield _url(scheme, address["value"], _PORTS[scheme])
    for service in place.objects("services", namespace=place.gateway_namespace):
        ports = [port for port in service["spec"].get("ports") or [] if port["port"] == _PORTS[scheme]]
        for port in ports:
            for ingress in service.get("status", {}).get("loadBalancer", {}).get("ingress") or []:
                yield _url(scheme, ingress.get("hostname") or ingress["ip"], port["port"])
            if port.get("nodePort"):
                yield from _of_nodes(place, scheme, port["nodePort"])


def _of_nodes(place: Place, scheme: str, port: int) -> Iterator[str]:
    """A port of every node: first at the addresses that the world sees."""
    nodes = place.objects("nodes")
    for kind in ("ExternalIP", "ExternalDNS", "InternalIP"):
        for node in nodes:
            for address in node["status"].get("addresses") or []:
                if address["type"] == kind:
                    yield _url(scheme, address["address"], port)


def _url(scheme: str, host: str, port: int) -> str:
    written = f"[{host}]" if ":" in host else host
    return f"{scheme}://{written}" if port == _PORTS[scheme] else f"{scheme}://{written}:{port}"
