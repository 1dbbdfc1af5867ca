"""What is said before anything is made with kind."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml

from local import paths
from local.errors import LocalError
from local.kind import config, preflight
from tests.local.kind.conftest import Machine


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("docker", "CLUSTER=kind needs docker: install it"),
        ("kind", "CLUSTER=kind needs kind: install it"),
        (
            {"failures": {"docker version": "Cannot connect to the Docker daemon"}},
            "Docker does not answer: .*Cannot con",
        ),
        ({"version": "kind v0.26.0 go1.23.4 linux/amd64"}, "kind v0.26.0 .* is too old: 0.27 or newer"),
        ({"version": "kind version unknown"}, "is too old"),
    ],
)
def test_what_is_missing_is_one_line_and_nothing_is_made(machine: Machine, change: object, message: str) -> None:
    if isinstance(change, str):
        (machine.programs / change).unlink()
    else:
        assert isinstance(change, dict)
        machine.change(**change)
    with pytest.raises(LocalError, match=message) as raised:
        machine.up()
    assert "\n" not in str(raised.value)
    assert not any("create" in call or "build" in call for call in machine.calls())
    assert not paths.KIND.exists()


def test_ports_in_use_are_named(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        file = tmp_path / "own.yaml"
        mapped = {"extraPortMappings": [{"containerPort": 1, "hostPort": port}]}
        file.write_text(yaml.safe_dump({"kind": "Cluster", "apiVersion": "v", "nodes": [mapped]}))
        with pytest.raises(LocalError, match=rf"ports in use that own.yaml maps: {port};"):
            preflight.check_ports(config.load(file))
    preflight.check_ports(config.load(file))
    assert machine.calls() == []


def test_nothing_is_made_when_ports_are_in_use(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_is_taken", lambda port: port == 30080)
    with pytest.raises(LocalError, match=r"ports in use that cluster.yaml maps: 30080;"):
        machine.up()
    assert not any("create" in call for call in machine.calls())
    assert not paths.KIND.exists()


def test_the_local_cluster_keeps_its_ports(machine: Machine) -> None:
    paths.CLUSTER.mkdir(parents=True)
    with pytest.raises(LocalError, match="the local cluster is up and serves the same ports: `make down` first"):
        machine.up()


@pytest.mark.parametrize("text", ["", "[]", "kind: Deployment", "kind: [", "nodes: 3\nkind: Cluster\napiVersion: v"])
def test_a_file_that_is_no_configuration_is_said_so(tmp_path: Path, text: str) -> None:
    file = tmp_path / "own.yaml"
    with pytest.raises(LocalError, match="can't be read: No such file"):
        config.load(file)
    file.write_text(text)
    with pytest.raises(LocalError, match="is no configuration of kind"):
        config.load(file)


@pytest.mark.parametrize("name", ["cluster.yaml", "calico.yaml"])
def test_the_committed_configurations_map_what_the_example_stacks_serve(name: str) -> None:
    stacks = [yaml.safe_load(file.read_text())["config"] for file in paths.ROOT.glob("Pulumi.phase*.yaml")]
    urls = [stack[key] for stack in stacks for key in ("task-manager:url", "task-manager:url_tls") if key in stack]
    node_port = yaml.safe_load((paths.ROOT / "Pulumi.yaml").read_text())["config"]["node_port"]["default"]
    found = config.load(config.DEFAULT.with_name(name))
    assert set(found.ports) == {node_port, *(int(url.rpartition(":")[2]) for url in urls)}
    assert found.has_no_network == (name == "calico.yaml")
    content = yaml.safe_load(found.file.read_text())
    assert len(content["nodes"]) == 3
    mappings = content["nodes"][0]["extraPortMappings"]
    assert all(mapping["listenAddress"] == "127.0.0.1" for mapping in mappings)
    assert all("@sha256:" in node["image"] for node in content["nodes"])
