"""A clone without environments runs by Pulumi's own commands, without make."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import paths
from local.plugins.kubernetes_provider.client import Client
from local.tools import go_tools
from tests.plugins.live.control_plane import ControlPlane
from tests.support.outcome import Outcome


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The repository's files as they are, without what git does not track."""
    folder = tmp_path / "clone"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=paths.ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        source = paths.ROOT / name
        if source.exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
    return folder


@pytest.fixture
def storage_class(client: Client) -> Iterator[None]:
    """The one thing beside Kubernetes that phase 1 stands on."""
    path = "/apis/storage.k8s.io/v1/storageclasses"
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    body = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "clone", "annotations": default},
        "provisioner": "kubernetes.io/no-provisioner",
    }
    client.request("POST", path, body=body)
    yield
    client.request("DELETE", f"{path}/clone")


@pytest.mark.usefixtures("storage_class")
def test_a_clone_is_installed_and_previewed(clone: Path, plane: ControlPlane, tmp_path: Path) -> None:
    pulumi = go_tools.build("pulumi") / "pulumi"
    (tmp_path / "state").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{paths.PLUGINS}{os.pathsep}{pulumi.parent}{os.pathsep}{os.environ['PATH']}",
        "KUBECONFIG": str(plane.kubeconfig()),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(pulumi), *arguments, "--non-interactive"],
            cwd=clone,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
            check=False,
        )
        return Outcome(done.returncode, done.stdout).ok()

    run("install")
    assert (clone / ".venv" / "infra" / "bin" / "python").exists()
    run("stack", "init", "phase1")
    assert "helm.sh/v3:Release" in run("preview", "--stack", "phase1")
