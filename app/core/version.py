"""Version and revision of the application."""

import os
import tomllib
from functools import cache
from pathlib import Path


@cache
def version() -> str:
    """Return the version of pyproject.toml, for example `0.1.0`."""
    with (Path(__file__).resolve().parents[2] / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def revision() -> str:
    """Return the Git commit of the image, from APP_REVISION, which the build sets, or `unknown`."""
    return os.environ.get("APP_REVISION", "unknown")
