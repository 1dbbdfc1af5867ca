"""The local cluster comes from nothing, from what killed runs left, and goes without a trace."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.machine import LOCAL, Machine, machine
from tests.e2e.system import ROOT

pytestmark = [
    pytest.mark.phases(1),
    pytest.mark.skipif(os.geteuid() != 0, reason="a cluster of its own needs root"),
]
UP = ("up", "--no-image")


@pytest.fixture
def isolated() -> Iterator[Machine]:
    with machine() as inside:
        yield inside


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def test_down_leaves_the_machine_as_it_was(isolated: Machine) -> None:
    before = isolated.snapshot()
    isolated.local(*UP, "--nodes", "2")
    found = isolated.status()
    assert found["well"], found
    assert found["nodes"] == {"node-1": True, "node-2": True}
    isolated.local("down")
    assert isolated.snapshot() == before


def test_a_cluster_whose_processes_were_all_killed_comes_back_with_its_data(isolated: Machine) -> None:
    before = isolated.snapshot()
    isolated.local(*UP)
    isolated.kubectl("create", "configmap", "kept", "--from-literal=answer=42")
    isolated.kill_everything()
    assert isolated.status()["cluster"] == "not answering"
    isolated.local(*UP)
    # until the kubelet is heard of again, the pods are what they were
    wait_for(lambda: bool(isolated.status()["well"]))
    assert isolated.kubectl("get", "configmap", "kept", "--output", "jsonpath={.data.answer}") == "42"
    isolated.kill_everything()
    isolated.local("down")
    assert isolated.snapshot() == before


@pytest.mark.parametrize("file", ["certificates/ca.crt", "logs/etcd.log", "logs/kubelet-1.log", "complete.json"])
def test_a_run_that_was_killed_at_any_point_can_be_run_again(isolated: Machine, file: str) -> None:
    first = isolated.start(*LOCAL, *UP)
    wait_for((isolated.state / "primetrade" / "cluster" / file).exists)
    first.kill()
    first.wait()
    isolated.local(*UP)
    found = isolated.status()
    assert found["well"], found


WITH_VOLUME = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {name: pause, image: "registry.k8s.io/pause:3.10", volumeMounts: [{name: data, mountPath: /data}]}
  volumes:
    - {name: data, persistentVolumeClaim: {claimName: data}}
"""


def test_a_claim_gets_a_directory_that_goes_with_it(isolated: Machine) -> None:
    isolated.local(*UP)
    manifest = isolated.state / "manifest.yaml"
    manifest.write_text(WITH_VOLUME)
    isolated.kubectl("apply", "--filename", str(manifest))
    isolated.kubectl("wait", "--for=condition=Ready", "pod/writer", "--timeout=60s")
    volumes = isolated.state / "primetrade" / "cluster" / "volumes"
    assert len(list(volumes.iterdir())) == 1
    isolated.kubectl("delete", "--filename", str(manifest), "--wait")
    wait_for(lambda: not list(volumes.iterdir()))


def test_a_second_run_changes_nothing(isolated: Machine) -> None:
    isolated.local(*UP)
    before = isolated.status()
    isolated.local(*UP)
    assert isolated.status() == before


def test_a_port_in_use_is_named_with_its_holder_and_nothing_is_made(isolated: Machine) -> None:
    before = isolated.snapshot()
    code = "import socket; s = socket.create_server(('127.0.0.1', 30080)); print('bound', flush=True); s.accept()"
    holder = isolated.start(str(ROOT / ".venv/infra/bin/python"), "-c", code)
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        status, said = isolated.run(*LOCAL, *UP)
    finally:
        holder.kill()
        holder.wait()
    assert status == 1
    assert "30080" in said
    assert str(holder.pid) in said
    assert len(said.strip().splitlines()) == 1
    assert isolated.snapshot() == before
