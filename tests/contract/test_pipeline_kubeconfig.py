"""The kubeconfig of the pipeline's targets: a variable, $KUBECONFIG, the local cluster's, or the standard one."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOW = 'show: ; @$(WITH_CLUSTER); echo "$${KUBECONFIG:-none}"; cat "$${KUBECONFIG:-/dev/null}"'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory, and beside it a stand-in of `python -m local` whose cluster is at `local`."""
    stub = tmp_path / "stub"
    stub.write_text(f'#!/bin/sh\n[ "$1" != kubeconfig ] || echo {tmp_path}/local\n')
    stub.chmod(0o755)
    (tmp_path / "tmp").mkdir()
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text("standard")
    return tmp_path


def used(home: Path, **variables: str) -> list[str]:
    """The path of the kubeconfig and its content."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("KUBECONFIG", "MAKE"))}
    environment |= {"HOME": str(home), "TMPDIR": str(home / "tmp"), **variables}
    command = ["make", "--silent", f"--eval={SHOW}", f"LOCAL={home}/stub", "show"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_variable_is_a_file_as_long_as_the_command(home: Path) -> None:
    path, content = used(home, KUBECONFIG_BASE64=base64.b64encode(b"secret").decode())
    assert content == "secret"
    assert not Path(path).exists()
    assert list((home / "tmp").iterdir()) == []


def test_a_login_at_the_standard_place_is_used_where_there_is_no_local_cluster(home: Path) -> None:
    assert used(home) == [str(home / ".kube" / "config"), "standard"]


def test_the_local_cluster_goes_before_the_standard_place(home: Path) -> None:
    (home / "local").write_text("local")
    assert used(home) == ["none"]


def test_a_kubeconfig_that_is_named_goes_before_both(home: Path) -> None:
    (home / "local").write_text("local")
    (home / "mine").write_text("mine")
    assert used(home, KUBECONFIG=str(home / "mine")) == [str(home / "mine"), "mine"]
