"""The `pulumi` command in this repository, and the stacks' outputs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from local import paths
from local.errors import LocalError
from local.tools import environment


def run(
    *arguments: str,
    stack: str | None = None,
    capture: bool = False,
    variables: Mapping[str, str] | None = None,
    directory: Path = paths.ROOT,
) -> str:
    """Run pulumi in a project, that of the environments as a rule; return what it printed when `capture` is set.

    Args:
        variables: of the environment, in place of those that `make shell` has.

    Raises:
        LocalError: pulumi failed. It has printed why, unless its output was captured: then the error has its last line.
    """
    command = ["pulumi", *arguments, *(["--stack", stack] if stack else []), "--non-interactive"]
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **environment.variables(), **(variables or {})},
        capture_output=capture,
        text=True,
        check=False,
    )
    if done.returncode:
        words = (done.stderr or "").strip().splitlines()
        raise LocalError(words[-1].removeprefix("error: ") if words else f"`{' '.join(command)}` failed: see above")
    return done.stdout or ""


def release_stale_lock(stack: str) -> None:
    """Release a lock whose run has ended without doing so itself (killed, or the machine restarted)."""
    for lock in (paths.pulumi_state() / ".pulumi" / "locks" / "organization" / "task-manager" / stack).glob("*.json"):
        if not psutil.pid_exists(json.loads(lock.read_text())["pid"]):
            lock.unlink(missing_ok=True)


def outputs(stack: str | None) -> dict[str, Any]:
    """Return the outputs of the stack, or of the one that came up last; raise LocalError when it is not up."""
    environment.prepare()
    try:
        found: dict[str, Any] = json.loads(run("stack", "output", "--json", stack=stack, capture=True))
    except LocalError as error:
        if not str(error).startswith("no stack "):
            raise
        found = {}
    if "url" not in found:
        raise LocalError(f"stack {stack} is not up: run `make up`" if stack else "no stack is up: run `make up`")
    return found


def select(stack: str, directory: Path = paths.ROOT) -> None:
    """Make the stack the current one of its project, and make it if there is none."""
    run("stack", "select", "--create", stack, directory=directory)
