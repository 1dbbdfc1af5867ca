"""Configuration of the nodes and of metrics, and what is read from the machine for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from infra import names
from local import addons, cluster, control_plane, files, manifests, metrics, mounts, paths
from local.errors import LocalError
from local.host import prune
from local.node_agents import name_servers, network_configuration
from local.nodes import POD_RANGE, Node, nodes
from local.status import Status


def test_nodes_share_no_address_and_no_pods() -> None:
    several = nodes(9)
    for values in zip(*((node.address, node.pod_range, node.cgroup, node.directory) for node in several), strict=True):
        assert len(set(values)) == 9
    assert all(node.pod_range.startswith("10.244.") for node in several)
    assert POD_RANGE == "10.244.0.0/16"


def test_the_first_node_is_the_machine_itself_and_the_others_have_networks_of_their_own() -> None:
    assert Node(1).network is None
    assert {node.network for node in nodes(3)[1:]} == {"pt-node-2", "pt-node-3"}


def test_a_nodes_pods_get_addresses_of_its_range() -> None:
    bridge = json.loads(network_configuration(Node(3)))["plugins"][0]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.3.0/24"}]]
    assert bridge["hairpinMode"] is True


@pytest.mark.usefixtures("cluster")
def test_a_control_plane_with_ports_of_its_own_takes_none_of_the_local_clusters() -> None:
    parts = (control_plane.etcd, control_plane.api_server, control_plane.controller_manager, control_plane.scheduler)
    other = control_plane.Plane(api=61001, etcd=61002, peers=61003, controllers=61004, scheduler=61005)

    def ports(plane: control_plane.Plane) -> set[int]:
        words = " ".join(word for part in parts for word in part(plane).command)
        return {int(found) for found in re.findall(r"(?:127\.0\.0\.1:|--secure-port=)(\d+)", words)}

    assert ports(other) == {61001, 61002, 61003, 61004, 61005}
    assert ports(control_plane.LOCAL) == {6443, 2379, 2380, 10257, 10259}


def test_name_servers_on_the_loopback_are_not_for_pods() -> None:
    text = "# made by hand\nnameserver 127.0.0.53\nnameserver ::1\nnameserver 192.0.2.53\nsearch example.org\n"
    assert name_servers(text) == ["192.0.2.53"]


def test_mount_points_with_blanks_are_read() -> None:
    line = r"36 35 98:0 / /mnt/two\040words rw - ext4 /dev/root rw"
    assert mounts.points(line) == [Path("/mnt/two words")]


@pytest.mark.usefixtures("cluster")
def test_metrics_are_asked_of_every_node_and_computed_for_pods_and_nodes() -> None:
    scrape = metrics.scrape_configuration(nodes(2))["scrape_configs"]
    assert [target["targets"] for target in scrape[0]["static_configs"]] == [["172.30.0.1:10250"], ["172.30.0.2:10250"]]
    rules = metrics.adapter_rules()["resourceRules"]
    assert rules["cpu"]["containerQuery"] == (
        "sum by (<<.GroupBy>>) (rate(container_cpu_usage_seconds_total{<<.LabelMatchers>>}[30s]))"
    )
    assert rules["memory"]["nodeQuery"] == "sum by (<<.GroupBy>>) (node_memory_working_set_bytes{<<.LabelMatchers>>})"


@pytest.mark.usefixtures("cluster")
def test_what_autoscalers_ask_for_is_read_from_the_prometheus_of_every_stack_that_has_a_file() -> None:
    _, *stacks = metrics.scrape_configuration(nodes(1))["scrape_configs"]
    files = {path.name.split(".")[1] for path in paths.ROOT.glob("Pulumi.*.yaml")}
    assert {stack["job_name"] for stack in stacks} == {f"task-manager-{name}" for name in files}
    wanted = [rule["seriesQuery"] for rule in metrics.adapter_rules()["rules"]]
    for stack in stacks:
        service = f"/namespaces/{stack['job_name']}/services/{names.PROMETHEUS}:{names.PROMETHEUS_PORT}/proxy/federate"
        assert stack["metrics_path"].endswith(service)
        assert stack["params"] == {"match[]": wanted}
        assert stack["honor_labels"], "without it pods would be those of the machine's Prometheus"


def test_a_phase_gets_as_many_nodes_as_its_pods_need_and_phase_3_one_to_lose() -> None:
    assert [addons.least_nodes(phase) for phase in (1, 2, 3)] == [1, 1, 3]


def test_each_stack_has_a_way_in_of_its_own() -> None:
    files = {path.name: yaml.safe_load(path.read_text())["config"] for path in paths.ROOT.glob("Pulumi.phase*.yaml")}
    gateways = [config.get("task-manager:gateway", {}) for config in files.values()]
    urls = [config.get("task-manager:url") for config in files.values()]
    ways = [(url, gateway.get("port")) for url, gateway in zip(urls, gateways, strict=True)]
    assert len(set(ways)) == len(ways)
    manifest = (paths.MANIFESTS / "gateway.yaml").read_text()
    for gateway in gateways:
        for key in ("port", "port_tls"):
            port = gateway.get(key)
            assert port is None or f"address=:{port}" in manifest


@pytest.mark.parametrize("manifest", sorted(paths.MANIFESTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_manifests_name_only_images_that_the_nodes_are_given(manifest: Path) -> None:
    known = {image.reference for addon in addons.ADDONS.values() for image in addon.images}
    text = manifest.read_text()
    named = {line.split("image:")[1].strip() for line in text.splitlines() if line.strip().startswith("image:")}
    assert named <= known
    assert all(entry["kind"] for entry in yaml.safe_load_all(re.sub(r"\$\{\w+\}", "1", text)))


def test_a_missing_value_of_a_manifest_is_an_error() -> None:
    with pytest.raises(KeyError):
        manifests.render("dns", replicas=1)


def test_pods_that_are_not_ready_say_why() -> None:
    waiting = {"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}}
    crashed = {
        "metadata": {"name": "api-1"},
        "status": {"containerStatuses": [{**waiting, "lastState": {"terminated": {"exitCode": 3}}}]},
    }
    unplaced = {"metadata": {"name": "api-2"}, "status": {"conditions": [{"message": "0/1 nodes are available"}]}}
    assert manifests.explain([crashed, unplaced]) == (
        "api-1: CrashLoopBackOff back-off 10s, ended with status 3; api-2: 0/1 nodes are available"
    )


def test_addons_of_a_later_phase_hold_those_of_the_earlier() -> None:
    assert set(addons.of_phase(1)) < set(addons.of_phase(2))
    assert addons.named("gateway") == (*addons.ALWAYS, "gateway")
    with pytest.raises(LocalError, match="phase 7 is unknown"):
        addons.of_phase(7)
    with pytest.raises(LocalError, match="add-on mesh is unknown"):
        addons.named("mesh")


def test_a_file_is_not_written_again_without_a_change(tmp_path: Path) -> None:
    file = files.write_private(tmp_path / "a", "one")
    before = file.stat().st_ino, file.stat().st_mtime_ns
    files.write_private(file, "one")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == before
    files.write_private(file, "two")
    assert file.read_text() == "two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_of_two_runs_that_make_the_same_the_first_ones_work_stands(tmp_path: Path) -> None:
    first, second, target = tmp_path / "first", tmp_path / "second", tmp_path / "target"
    for made in (first, second):
        made.mkdir()
        (made / "program").write_text(made.name)
        files.place(made, target)
    assert (target / "program").read_text() == "first"
    with pytest.raises(FileNotFoundError):
        files.place(tmp_path / "missing", tmp_path / "nowhere")


def test_only_known_leftovers_and_empty_directories_are_pruned(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    (ours / "net.d").mkdir(parents=True)
    (ours / "net.d" / "cni.lock").touch()
    theirs.mkdir()
    (theirs / "precious").touch()
    prune(ours)
    prune(theirs)
    assert not ours.exists()
    assert (theirs / "precious").exists()


def test_a_cluster_is_well_only_with_all_its_parts() -> None:
    well = Status("up", "k", {"etcd": 7}, {"node-1": True}, {"a/b": (1, 1)})
    assert well.well
    assert not Status("up", "k", {"etcd": 0}).well
    assert not Status("up", "k", nodes={"node-1": False}).well
    assert not Status("up", "k", deployments={"a/b": (0, 1)}).well
    assert not Status("unfinished", "k").well


def test_a_record_comes_back_as_it_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "COMPLETE", tmp_path / "complete.json")
    assert cluster.record() is None
    saved = cluster.Record(2, ("dns", "storage"), "boot")
    saved.save()
    assert cluster.record() == saved
