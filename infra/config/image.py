"""References of container images."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = "ghcr.io/primetrade/task-manager"
IMAGE_VARIABLE: Final = "TASK_MANAGER_IMAGE"

# After the grammar of github.com/distribution/reference, without the port of a registry that has no path.
_REFERENCE = re.compile(
    r"(?P<repository>[a-z0-9][a-z0-9._-]*(?::\d+)?(?:/[a-z0-9][a-z0-9._-]*)+)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[a-f0-9]{64}))?"
)


@dataclass(frozen=True)
class Image:
    """An image reference in the parts that the chart takes; tag or digest may be empty, not both."""

    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        return self.repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse_image(reference: str) -> Image:
    """Take a reference apart.

    Raises:
        ValueError: it is no reference, or one that can mean another image tomorrow.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise ValueError(f"{reference!r} is no image: write it as registry/name:tag or registry/name@sha256:…")
    image = Image(match["repository"], match["tag"] or "", match["digest"] or "")
    if not image.digest and image.tag in ("", "latest"):
        # With a tag that moves, an update sees no difference and a restarted pod may run something else.
        raise ValueError(f"{reference!r} does not say which image: add a version tag or a digest")
    return image


def default_reference(root: Path) -> str:
    """The image to run when the stack names none: the environment's (a pipeline, a local cluster), else this version's.

    Args:
        root: the repository's top folder, for `pyproject.toml`.
    """
    given = os.environ.get(IMAGE_VARIABLE)
    if given:
        return given
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    return f"{REPOSITORY}:{version}"
