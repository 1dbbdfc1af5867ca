"""References of container images."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pulumi

from infra.names import PROJECT

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


def version_reference(root: Path) -> str:
    """The image of this version.

    Args:
        root: the repository's top folder, for `pyproject.toml`.
    """
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    return f"{REPOSITORY}:{version}"


def choose_image(setting: str, deployed: str | None, root: Path) -> Image:
    """The image to run: the stack's setting, the environment's, the one that runs, else that of this version.

    What runs stays until somebody names another: a restore, or an update for another reason, is no release.

    Args:
        setting: the stack's; empty for none.
        deployed: the image that the stack's last update has recorded; None before the first one.
        root: the repository's top folder.

    Raises:
        pulumi.RunError: the environment names something that is no image.
    """
    if setting:
        return parse_image(setting)
    if given := os.environ.get(IMAGE_VARIABLE):
        try:
            return parse_image(given)
        except ValueError as error:
            raise pulumi.RunError(f"{IMAGE_VARIABLE}: {error}") from error
    own = parse_image(version_reference(root))
    if deployed is None:
        return own
    image = parse_image(deployed)
    if image.repository == own.repository and image.tag and image.tag != own.tag:
        pulumi.log.info(f"the image stays {image}, and this is version {own.tag}: set {PROJECT}:image to release it")
    return image
