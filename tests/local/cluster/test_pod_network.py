"""The plugins of the pods' network, and how they are chained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.cluster import certificates, control_plane, pod_network
from local.cluster.certificates import CLUSTER_CA
from local.cluster.nodes import Node
from local.errors import LocalError

pytestmark = pytest.mark.usefixtures("cluster")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine's own directory of plugins."""
    directory = tmp_path / "cni"
    directory.mkdir()
    for name in ("bridge", "host-local", "loopback", "portmap", "vlan"):
        (directory / name).touch()
    monkeypatch.setattr(pod_network, "CNI_DIRECTORIES", (tmp_path / "none", directory))
    return directory


@pytest.fixture
def istio_cni(tmp_path: Path) -> Path:
    program = tmp_path / "istio-cni"
    program.write_text("a program")
    program.chmod(0o755)
    return program


def conflist(node: Node) -> dict[str, list[dict[str, object]]]:
    content: dict[str, list[dict[str, object]]] = json.loads(
        (node.directory / "cni" / "10-primetrade.conflist").read_text()
    )
    return content


def test_a_nodes_pods_get_addresses_of_its_range() -> None:
    bridge = pod_network.configuration(Node(3))["plugins"][0]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.3.0/24"}]]
    assert bridge["hairpinMode"] is True


def test_plugins_are_the_machines_own_which_stay_as_they_are(machine: Path, istio_cni: Path) -> None:
    before = sorted(machine.iterdir())
    directory = pod_network.link_plugins()
    certificates.ensure_authority(CLUSTER_CA)
    pod_network.add_istio(istio_cni, [Node(1)])
    pod_network.link_plugins()
    assert (directory / "bridge").resolve() == machine / "bridge"
    assert sorted(machine.iterdir()) == before


def test_a_machine_without_plugins_is_told_where_they_belong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_network, "CNI_DIRECTORIES", (tmp_path / "a", tmp_path / "b"))
    with pytest.raises(LocalError, match=f"in neither of {tmp_path}/a, {tmp_path}/b"):
        pod_network.link_plugins()


@pytest.mark.usefixtures("machine")
def test_istios_plugin_is_the_last_of_the_chain_once_it_is_there(istio_cni: Path) -> None:
    certificates.ensure_authority(CLUSTER_CA)
    pod_network.link_plugins()
    pod_network.configure(Node(1))
    assert [plugin["type"] for plugin in conflist(Node(1))["plugins"]] == ["bridge", "portmap"]
    pod_network.add_istio(istio_cni, [Node(1), Node(2)])
    for node in (Node(1), Node(2)):
        assert [plugin["type"] for plugin in conflist(node)["plugins"]] == ["bridge", "portmap", "istio-cni"]
    istio_cni.unlink()  # the cache was cleaned
    assert (pod_network.plugins() / "istio-cni").read_text() == "a program"


@pytest.mark.usefixtures("machine")
def test_a_node_that_joins_later_has_istios_plugin_and_its_kubeconfig(istio_cni: Path) -> None:
    certificates.ensure_authority(CLUSTER_CA)
    pod_network.link_plugins()
    pod_network.add_istio(istio_cni, [Node(1)])
    pod_network.configure(Node(2))
    plugin = conflist(Node(2))["plugins"][-1]
    kubeconfig = json.loads((Path(str(plugin["cni_agent_run_dir"])) / "istio-cni-kubeconfig").read_text())
    assert kubeconfig["clusters"][0]["cluster"]["server"] == control_plane.NODE_URL
    assert kubeconfig["users"][0]["user"].keys() == {"client-certificate-data", "client-key-data"}
