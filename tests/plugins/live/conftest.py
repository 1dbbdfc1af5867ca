"""One API server for the whole run, a namespace for each test, and the real engine with these plugins."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.plugins.kubernetes_provider.client import Client
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.discovery import Discovery
from local.plugins.kubernetes_provider.kubeconfig import load
from local.plugins.kubernetes_provider.lifecycle import ObjectLifecycle
from local.plugins.kubernetes_provider.settings import Settings
from local.tools import go_tools, wheels
from tests.plugins.fakes import RecordingEngine
from tests.plugins.live.control_plane import ControlPlane, running
from tests.plugins.live.project import Project
from tests.plugins.live.resources import Resources


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server with its controllers."""
    yield from running(tmp_path_factory.mktemp("plane"))


@pytest.fixture(scope="session", autouse=True)
def helm_on_path() -> Iterator[None]:
    """Put the helm that `make shell` brings on PATH."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{wheels.helm().parent}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.fixture(scope="session")
def client(plane: ControlPlane) -> Client:
    """A client that may do everything."""
    return plane.client()


@pytest.fixture
def namespace(client: Client) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"test-{secrets.token_hex(4)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    client.request("POST", "/api/v1/namespaces", body=body)
    yield name
    client.request("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def cluster(plane: ControlPlane) -> Cluster:
    """A configured provider."""
    connected = Client(load(str(plane.kubeconfig())))
    return Cluster(connected, Discovery(connected), Settings(), RecordingEngine())


@pytest.fixture
def resources(cluster: Cluster) -> Resources:
    """Objects made, changed and deleted the way the engine asks for it."""
    return Resources(ObjectLifecycle(cluster), cluster)


@pytest.fixture
def project(tmp_path: Path, plane: ControlPlane) -> Iterator[Project]:
    """A Pulumi project of its own, run by the real engine."""
    made = Project(tmp_path / "project", go_tools.build("pulumi") / "pulumi", plane.kubeconfig())
    made.create()
    yield made
    made.destroy()
