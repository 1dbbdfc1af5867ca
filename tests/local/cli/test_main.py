"""Errors of `python -m local`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import paths


@pytest.mark.parametrize(
    ("arguments", "kubeconfig", "message"),
    [
        (["--phase", "7"], "", "phase 7 is unknown: it is one of 1, 2, 3, 4"),
        (["--cluster", "k3s"], "", "CLUSTER=k3s is unknown: it is local or kind, or set KUBECONFIG to one of your own"),
        (
            ["--cluster", "kind"],
            "/elsewhere",
            "CLUSTER=kind and KUBECONFIG=/elsewhere are two clusters: unset one of them",
        ),
        (
            ["--cluster", "kind", "--nodes", "2"],
            "",
            "NODES is of the local cluster: with kind the file that KIND_CONFIG names has the nodes",
        ),
        (["--stack"], "/elsewhere", "KUBECONFIG=/elsewhere: no such file; unset it to have a local cluster made"),
    ],
)
def test_an_error_is_one_line_and_status_one(
    tmp_path: Path, arguments: list[str], kubeconfig: str, message: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "up", *arguments],
        cwd=paths.ROOT,
        env={**os.environ, "KUBECONFIG": kubeconfig, "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"error: {message}\n"
    assert not list(tmp_path.iterdir())
