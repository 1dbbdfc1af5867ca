"""The network enforces the policies of a stack of phase 2 or 3: flows are tried on a cluster that is up.

What nobody can reach proves nothing, so each forbidden flow has a pod that does reach the same address.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from infra import names

NAMESPACE = os.environ.get("NAMESPACE", "task-manager-phase2")
OTHER = f"{NAMESPACE}-stranger"

CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=4).close()
except OSError as error:
    print("closed", error)
else:
    print("open")
"""

DATA = [
    (names.DATABASE_POOLER, 5432),
    (f"{names.DATABASE_CLUSTER}-rw", 5432),
    (names.CACHE, 6379),
    (names.BROKER, 6379),
]
METADATA = ("169.254.169.254", 80)
INTERNET = ("1.1.1.1", 443)
API_SERVER = ("kubernetes.default", 443)


def kubectl(*words: str, stdin: str | None = None) -> str:
    done = subprocess.run(["kubectl", *words], input=stdin, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Caller:
    """A pod that calls."""

    namespace: str
    pod: str

    def reaches(self, host: str, port: int) -> bool:
        words = ("exec", "--namespace", self.namespace, self.pod, "--", "python", "-c", CONNECT, host, str(port))
        return kubectl(*words).startswith("open")


API = Caller(NAMESPACE, f"deployment/{names.RELEASE}")


@pytest.fixture(scope="module")
def stranger() -> Iterator[Caller]:
    """A pod of the same image in a namespace without policies."""
    deployment = json.loads(kubectl("get", "deployment", names.RELEASE, "--namespace", NAMESPACE, "--output", "json"))
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        # The labels of those who may: only in the stack's own namespace.
        "metadata": {"name": "stranger", "namespace": OTHER, "labels": dict(names.API_LABELS)},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "stranger",
                    "image": container["image"],
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python", "-c", "import signal; signal.pause()"],
                }
            ],
        },
    }
    kubectl("create", "namespace", OTHER)
    try:
        kubectl("create", "--filename", "-", stdin=json.dumps(pod))
        kubectl("wait", "--namespace", OTHER, "--for=condition=Ready", "pod/stranger", "--timeout=120s")
        yield Caller(OTHER, "stranger")
    finally:
        kubectl("delete", "namespace", OTHER, "--wait=false")


@pytest.mark.parametrize(("host", "port"), DATA)
def test_the_api_resolves_and_reaches_its_data(host: str, port: int) -> None:
    assert API.reaches(host, port)


@pytest.mark.parametrize(("host", "port"), [*DATA, (names.RELEASE, 80)])
def test_another_namespace_reaches_nothing_of_the_stack(stranger: Caller, host: str, port: int) -> None:
    assert not stranger.reaches(f"{host}.{NAMESPACE}", port)


@pytest.mark.parametrize(("host", "port"), [INTERNET, API_SERVER])
def test_the_api_reaches_neither_the_internet_nor_the_api_server(stranger: Caller, host: str, port: int) -> None:
    assert stranger.reaches(host, port), "nobody reaches it: this proves nothing"
    assert not API.reaches(host, port)


def test_the_api_does_not_reach_the_metadata_of_its_node(stranger: Caller) -> None:
    if not stranger.reaches(*METADATA):
        pytest.skip("nothing answers there on this machine: this would prove nothing")
    assert not API.reaches(*METADATA)
