"""Errors of `python -m local`."""

from __future__ import annotations

import os
import subprocess
import sys

from local import paths


def test_an_error_is_one_line_and_status_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "up", "--phase", "7"],
        cwd=paths.ROOT,
        env={name: value for name, value in os.environ.items() if name != "KUBECONFIG"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "error: phase 7 is unknown: it is one of 1, 2, 3\n"
