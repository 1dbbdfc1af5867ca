"""The nodes' network: a bridge on this machine, and for each further node a network namespace tied to it."""

from __future__ import annotations

import ipaddress
import json
import shutil
import time
from pathlib import Path

from local.cluster.nodes import API_ADDRESS, NODE_RANGE, POD_RANGE, SERVICE_RANGE, Node
from local.errors import LocalError
from local.host.commands import run, succeeds

NODE_BRIDGE = "pt-nodes"
POD_BRIDGE = "pt-pods"
PREFIX = "pt-"


def bridge() -> None:
    """Make the bridge that carries the nodes' addresses; node 1 and the API server have theirs on it."""
    if not succeeds("ip", "link", "show", NODE_BRIDGE):
        run("ip", "link", "add", NODE_BRIDGE, "type", "bridge")
    run("ip", "address", "replace", f"{API_ADDRESS}/24", "dev", NODE_BRIDGE)
    run("ip", "link", "set", NODE_BRIDGE, "up")


def attach(node: Node) -> None:
    """Tie a further node to the bridge: its namespace, its link, and the routes both ways."""
    if node.network is None:
        return
    inside = ("ip", "-n", node.network)
    if not Path(f"/run/netns/{node.network}").exists():
        run("ip", "netns", "add", node.network)
    outer = f"{PREFIX}link-{node.number}"
    if not succeeds("ip", "link", "show", outer):
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", node.network)
    run("ip", "link", "set", outer, "master", NODE_BRIDGE, "up")
    run(*inside, "address", "replace", f"{node.address}/24", "dev", "eth0")
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "link", "set", "eth0", "up")
    run(*inside, "route", "replace", "default", "via", API_ADDRESS)
    run("ip", "route", "replace", node.pod_range, "via", node.address, "dev", NODE_BRIDGE)
    settings = ("net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1", "net.ipv4.conf.all.send_redirects=0")
    run("nsenter", f"--net=/run/netns/{node.network}", "sysctl", "--quiet", "-w", *settings)


def links() -> list[str]:
    """Return the names of this machine's links that belong to the cluster: its own, and the pods' at its bridge."""
    found = json.loads(run("ip", "-j", "link")) if shutil.which("ip") else []
    return [link["ifname"] for link in found if link.get("master") == POD_BRIDGE or link["ifname"].startswith(PREFIX)]


def namespaces() -> list[str]:
    """Return the names of the nodes' network namespaces."""
    return [entry.name for entry in Path("/run/netns").glob(f"{PREFIX}node-*")]


def clean() -> None:
    """Remove the namespaces and links; return when the kernel, which does so in its own time, is done."""
    for name in namespaces():
        run("ip", "netns", "delete", name)
    until = time.monotonic() + 15
    while remaining := links():
        for name in remaining:
            succeeds("ip", "link", "delete", name)  # the other end of a pair goes along with the first
        if time.monotonic() > until:
            raise LocalError(f"the network links {', '.join(remaining)} can't be removed: `ip link delete` says why")
        time.sleep(0.05)


def overlapping_route() -> str | None:
    """Return a route of this machine that overlaps the cluster's address ranges, the cluster's own left aside."""
    ranges = [ipaddress.ip_network(text) for text in (POD_RANGE, SERVICE_RANGE, NODE_RANGE)]
    for route in json.loads(run("ip", "-j", "-4", "route")) if shutil.which("ip") else []:
        if route["dst"] == "default" or route.get("dev", "").startswith(PREFIX):
            continue
        target = ipaddress.ip_network(route["dst"])
        if any(target.overlaps(ours) for ours in ranges):
            return f"{route['dst']} on {route.get('dev', 'no device')}"
    return None
