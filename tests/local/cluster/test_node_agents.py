"""The pod network's configuration and the name servers of pods."""

from __future__ import annotations

import json

from local.cluster.node_agents import name_servers, network_configuration
from local.cluster.nodes import Node


def test_a_nodes_pods_get_addresses_of_its_range() -> None:
    bridge = json.loads(network_configuration(Node(3)))["plugins"][0]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.3.0/24"}]]
    assert bridge["hairpinMode"] is True


def test_name_servers_on_the_loopback_are_not_for_pods() -> None:
    text = "# made by hand\nnameserver 127.0.0.53\nnameserver ::1\nnameserver 192.0.2.53\nsearch example.org\n"
    assert name_servers(text) == ["192.0.2.53"]
