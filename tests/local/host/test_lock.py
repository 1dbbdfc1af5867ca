"""Two commands can't change the cluster at the same time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from local import paths
from local.errors import LocalError
from local.host.lock import alone

HOLD = """
import sys
from local import paths
paths.CLUSTER_NAME = sys.argv[1]
from local.host.lock import alone
with alone():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def name(monkeypatch: pytest.MonkeyPatch) -> str:
    """A cluster's name of the test's own."""
    own = f"test-{os.getpid()}"
    monkeypatch.setattr(paths, "CLUSTER_NAME", own)
    return own


def test_the_holder_is_named_and_its_end_frees_the_lock_however_it_ends(name: str) -> None:
    command = [sys.executable, "-c", HOLD, name]
    with subprocess.Popen(command, cwd=paths.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LocalError, match=rf"another run .*process {holder.pid}\)"), alone():
            pass
        holder.kill()
        holder.wait()
    with alone():
        pass


def test_the_lock_is_free_after_its_block() -> None:
    with alone():
        pass
    with alone():
        pass
