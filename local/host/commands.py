"""Running other programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local.errors import LocalError

_under_way: set[subprocess.Popen[str]] = set()


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
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            text=True,
        )
    except FileNotFoundError as error:
        raise LocalError(f"{words[0]} is not installed: install it, or run `make up`, which does") from error
    _under_way.add(process)
    try:
        stdout, stderr = process.communicate(stdin or "", timeout=timeout)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise LocalError(f"`{' '.join(words)[:200]}` did not end within {timeout:.0f} s") from error
    finally:
        _under_way.discard(process)
    if process.returncode:
        lines = (stderr.strip() or stdout.strip()).splitlines()
        last_lines = " | ".join(lines[-3:]) if lines else f"status {process.returncode}, no message"
        raise LocalError(f"`{' '.join(words)[:200]}` failed: {last_lines}")
    return stdout


def succeeds(*command: str | Path) -> bool:
    """Tell whether a program is there and ends with status 0; its output is dropped."""
    try:
        return subprocess.run([str(word) for word in command], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def end_all() -> None:
    """End the programs that `run` is waiting for in other threads, so that a failure need not wait for them."""
    for process in list(_under_way):
        process.terminate()
