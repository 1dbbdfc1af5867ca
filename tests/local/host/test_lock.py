"""The lock against two commands that change the cluster at the same time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from local import paths
from local.errors import LocalError
from local.host.lock import exclusive, holder

HOLD = """
import sys
from local import paths
paths.CLUSTER_NAME = sys.argv[1]
from local.host.lock import exclusive
with exclusive():
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
    with subprocess.Popen(command, cwd=paths.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "held\n"
        with pytest.raises(LocalError, match=rf"another run .*process {run.pid}\)"), exclusive():
            pass
        run.kill()
        run.wait()
    with exclusive():
        pass


def test_the_lock_is_free_after_its_block() -> None:
    with exclusive():
        pass
    with exclusive():
        pass


def test_who_holds_the_lock_can_be_asked() -> None:
    assert holder() is None
    with exclusive():
        assert holder() == os.getpid()
    assert holder() is None
