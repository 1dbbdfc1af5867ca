"""The addresses, networks and directories of nodes."""

from __future__ import annotations

from local.cluster.nodes import POD_RANGE, Node, nodes


def test_nodes_share_no_address_and_no_pods() -> None:
    several = nodes(9)
    for values in zip(*((node.address, node.pod_range, node.cgroup, node.directory) for node in several), strict=True):
        assert len(set(values)) == 9
    assert all(node.pod_range.startswith("10.244.") for node in several)
    assert POD_RANGE == "10.244.0.0/16"


def test_the_first_node_is_the_machine_itself_and_the_others_have_networks_of_their_own() -> None:
    assert Node(1).network is None
    assert {node.network for node in nodes(3)[1:]} == {"pt-node-2", "pt-node-3"}
