"""Running other programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local.errors import LocalError


def run(
    *command: str | Path,
    stdin: str | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> str:
    """Run a program to its end and return what it wrote to standard output.

    Args:
        stdin: text for its standard input; without it the input is empty.
        env: variables on top of this process's own.
        timeout: seconds.

    Raises:
        LocalError: it is missing, failed or took too long; the message carries its last words.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            input=stdin or "",
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise LocalError(f"{words[0]} is not installed: install it, or run `make up`, which does") from error
    except subprocess.TimeoutExpired as error:
        raise LocalError(f"`{' '.join(words)}` did not end within {timeout:.0f} s") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        said = " | ".join(lines[-3:]) if lines else f"status {done.returncode}, no message"
        raise LocalError(f"`{' '.join(words)[:200]}` failed: {said}")
    return done.stdout


def succeeds(*command: str | Path) -> bool:
    """Tell whether a program is there and ends with status 0; its output is dropped."""
    try:
        return subprocess.run([str(word) for word in command], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
