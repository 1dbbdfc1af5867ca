"""The Python that runs the program: of the virtual environment that Pulumi.yaml names, or the host's own."""

import sys
from collections.abc import Mapping
from pathlib import Path


class InterpreterError(Exception):
    """The program's Python cannot be used; the message says which and what to do."""


def environment(options: Mapping[str, object], root: str) -> Path | None:
    """Give the folder of the virtual environment; None where the options name none.

    Args:
        options: `runtime.options` of Pulumi.yaml.
        root: directory of Pulumi.yaml, which a relative `virtualenv` starts from.

    Raises:
        InterpreterError: the options name a toolchain that this host does not know.
    """
    toolchain = options.get("toolchain")
    if toolchain not in (None, "pip"):
        raise InterpreterError(
            f"Pulumi.yaml asks for the toolchain {toolchain!r}, and this language host knows only pip: "
            "take runtime.options.toolchain out or name a virtualenv instead"
        )
    named = options.get("virtualenv")
    return Path(root, named) if isinstance(named, str) and named else None


def interpreter(options: Mapping[str, object], root: str) -> Path:
    """Find the program's Python; arguments as for `environment`.

    Raises:
        InterpreterError: the options name an environment that is not there, or a toolchain this host does not know.
    """
    folder = environment(options, root)
    if folder is None:
        return Path(sys.executable)
    python = folder / "bin" / "python"
    if not python.exists():
        raise InterpreterError(
            f"the virtual environment {options['virtualenv']!r} that Pulumi.yaml names is not at {folder}: "
            "`pulumi install` makes it, once what else is there has been removed"
        )
    return python
