"""The program's environment and its dependencies, made the way the official language host makes them.

Source: sdk/python/toolchain/pip.go of pulumi 3.259 (`EnsureVenv`, `InstallDependencies`).
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.plugins.python_host.interpreter import InterpreterError, environment, interpreter

REQUIREMENTS = "requirements.txt"


def is_missing(options: Mapping[str, object], root: str) -> bool:
    """Tell whether the environment has yet to be made: there is no folder, or an empty one."""
    folder = environment(options, root)
    return folder is not None and (not folder.exists() or (folder.is_dir() and not any(folder.iterdir())))


def install(options: Mapping[str, object], root: str, program: str) -> Iterator[bytes]:
    """Make the environment and install the requirements beside the program; give what the commands print, by line.

    Args:
        options: `runtime.options` of Pulumi.yaml.
        root: directory of Pulumi.yaml.
        program: directory of the program.

    Raises:
        InterpreterError: there is no Python to make it with, or a command has failed.
    """
    folder = environment(options, root)
    if folder is not None:
        yield from _run([_python_on_path(), "-m", "venv", str(folder)], root)
    pip = [str(interpreter(options, root)), "-m", "pip", "install"]
    if folder is not None:
        yield from _run([*pip, "--upgrade", "pip", "setuptools", "wheel"], program)
    if Path(program, REQUIREMENTS).exists():
        yield from _run([*pip, "--requirement", REQUIREMENTS], program)
    else:
        yield f"no {REQUIREMENTS} beside the program: nothing more to install\n".encode()


def _python_on_path() -> str:
    named = os.environ.get("PULUMI_PYTHON_CMD")
    for command in [named] if named else ["python3", "python"]:
        if found := shutil.which(command):
            return found
    raise InterpreterError(f"there is no {named or 'python3'} on PATH to make the program's environment with")


def _run(command: list[str], folder: str) -> Iterator[bytes]:
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        yield from process.stdout or ()
    if process.returncode:
        raise InterpreterError(f"`{' '.join(command)}` in {folder} ended with exit code {process.returncode}")
