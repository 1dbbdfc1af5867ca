"""From Docker to a running stack, with recording stand-ins of docker, kind, kubectl and pulumi."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local import paths
from local.errors import LocalError
from local.kind import cluster, config, lifecycle
from local.tools import environment
from tests.local.kind.conftest import CLUSTER, Machine
from tests.local.kind.stand_in import IMAGE, KUBECONFIG

REFERENCE = f"ghcr.io/primetrade/task-manager:kind-{IMAGE[7:19]}"
CREATE = f"kind create cluster --name={CLUSTER} --config={config.DEFAULT}"


def test_a_first_run_makes_the_cluster_loads_the_image_and_brings_the_stack_up(machine: Machine) -> None:
    machine.up()
    calls = machine.calls()
    scratch = paths.KIND / "kubeconfig.kind"
    assert calls[2:6] == [
        "kind get clusters",
        f"{CREATE} --kubeconfig={scratch}",
        f"kind get kubeconfig --name={CLUSTER}",
        f"kubectl --kubeconfig={paths.KIND}/kubeconfig.new wait --for=condition=Ready nodes --all --timeout=300s",
    ]
    assert calls[6].startswith("docker build --quiet --build-arg=VERSION=")
    assert calls[7:] == [f"docker tag {IMAGE} {REFERENCE}", f"kind load docker-image {REFERENCE} --name={CLUSTER}"]
    assert machine.served == [1]


def test_its_kubeconfig_is_private_and_that_of_the_user_is_left_alone(machine: Machine) -> None:
    machine.up()
    assert paths.KIND_KUBECONFIG.read_text() == KUBECONFIG
    assert paths.KIND_KUBECONFIG.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in paths.KIND.iterdir()) == ["cluster.json", "image", "kubeconfig"]
    assert not Path(os.environ["HOME"]).exists()


@pytest.mark.usefixtures("machine")
def test_shells_and_pulumi_then_reach_it(machine: Machine) -> None:
    machine.up()
    given = environment.variables()
    assert given["KUBECONFIG"] == str(paths.KIND_KUBECONFIG)
    assert given["TASK_MANAGER_IMAGE"] == REFERENCE
    assert given["PULUMI_BACKEND_URL"] == f"file://{paths.KIND_PULUMI}"


def test_from_phase_2_on_the_platform_comes_before_the_stack(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = tmp_path / "platform"
    platform.mkdir()
    monkeypatch.setattr(lifecycle, "PLATFORM", platform)
    monkeypatch.setattr(lifecycle, "PLATFORM_PACKAGES", tmp_path / "none")
    machine.up(2)
    pulumi = [record for record in machine.records() if record[0].startswith("pulumi")]
    assert [call for call, _, _ in pulumi] == [
        "pulumi install --non-interactive",
        "pulumi stack select --create kind --non-interactive",
        "pulumi up --yes --skip-preview --stack kind --non-interactive",
    ]
    assert {(directory, kubeconfig) for _, directory, kubeconfig in pulumi} == {
        (str(platform), str(paths.KIND_KUBECONFIG))
    }
    assert machine.served == [2]


def test_a_platform_that_fails_leaves_the_stack_alone(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "PLATFORM", tmp_path)
    machine.change(failures={"pulumi up": "error: the chart can't be had"})
    with pytest.raises(LocalError, match="pulumi up"):
        machine.up(2)
    assert machine.served == []


def test_a_second_run_keeps_the_cluster(machine: Machine) -> None:
    machine.up()
    machine.forget_calls()
    machine.up()
    assert machine.calls("kind") == [
        "kind version",
        "kind get clusters",
        f"kind load docker-image {REFERENCE} --name={CLUSTER}",
    ]
    assert machine.served == [1, 1]


def test_a_cluster_that_did_not_come_up_is_made_anew(machine: Machine) -> None:
    machine.change(failures={"kubectl": "error: timed out waiting for the condition"})
    with pytest.raises(LocalError, match="timed out"):
        machine.up()
    assert machine.served == []
    assert not paths.uses_kind()
    machine.change(failures={})
    machine.forget_calls()
    machine.up()
    assert machine.calls("kind")[2:4] == [
        f"kind delete cluster --name={CLUSTER}",
        f"{CREATE} --kubeconfig={paths.KIND}/kubeconfig.kind",
    ]
    assert machine.served == [1]


def test_an_image_that_did_not_load_keeps_the_cluster_and_records_nothing(machine: Machine) -> None:
    machine.change(failures={"kind load": "ERROR: no space left on device"})
    with pytest.raises(LocalError, match="no space left"):
        machine.up()
    assert not paths.KIND_IMAGE.exists()
    machine.change(failures={})
    machine.forget_calls()
    machine.up()
    assert not any("create" in call for call in machine.calls())
    assert machine.served == [1]


def test_a_cluster_that_is_gone_is_made_anew_without_the_state_of_its_stacks(machine: Machine) -> None:
    machine.up()
    paths.KIND_PULUMI.mkdir()
    machine.change(clusters=[])
    machine.up()
    assert not paths.KIND_PULUMI.exists()


def test_a_cluster_of_that_name_that_was_made_elsewhere_is_left_alone(machine: Machine) -> None:
    machine.change(clusters=["other", CLUSTER])
    with pytest.raises(LocalError, match=rf"was not made here: `kind delete cluster --name {CLUSTER}`"):
        machine.up()
    assert not any(word in call for call in machine.calls() for word in ("create", "delete", "load"))
    assert not paths.KIND.exists()


def test_a_network_of_ones_own_is_applied_before_the_nodes_are_waited_for(machine: Machine) -> None:
    calico = config.DEFAULT.with_name("calico.yaml")
    with pytest.raises(LocalError, match="KIND_CNI"):
        machine.up(file=calico)
    assert not any("create" in call for call in machine.calls())
    machine.up(file=calico, network="https://example.org/calico.yaml")
    applied = [call.split(" ", 2)[2] for call in machine.calls("kubectl")]
    assert applied[0] == "apply --server-side --filename=https://example.org/calico.yaml"
    assert applied[1].startswith("wait --for=condition=Ready nodes")


def test_a_cluster_of_another_configuration_is_not_taken_for_it(machine: Machine) -> None:
    machine.up()
    with pytest.raises(LocalError, match=r"was made from .*/cluster.yaml: `make down` first"):
        machine.up(file=config.DEFAULT.with_name("calico.yaml"), network="n")


def test_taking_it_down_removes_it_and_all_that_is_kept_of_it(machine: Machine) -> None:
    machine.up()
    cluster.remove()
    assert machine.calls()[-1] == f"kind delete cluster --name={CLUSTER}"
    assert not paths.KIND.exists()


def test_what_is_kept_of_it_stays_when_it_can_not_be_taken_down(machine: Machine) -> None:
    machine.up()
    machine.change(failures={"kind delete": "ERROR: Cannot connect to the Docker daemon"})
    with pytest.raises(LocalError, match="Cannot connect"):
        cluster.remove()
    assert cluster.is_ours()
