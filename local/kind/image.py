"""The application's image: built by Docker, loaded into the nodes."""

from __future__ import annotations

import tomllib

from local import paths
from local.host.commands import run
from local.host.files import write_private
from local.images.api_image import REPOSITORY


def build() -> str:
    """Build the image and return its reference, which names its content: Docker's cache makes a second build quick."""
    version = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]["version"]
    # Without attestations: they make an index of the image, which nodes can't always import.
    plain = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    printed = run("docker", "build", "--quiet", f"--build-arg=VERSION={version}", paths.ROOT, env=plain)
    identity = printed.split()[-1]
    reference = f"{REPOSITORY}:kind-{identity.removeprefix('sha256:')[:12]}"
    run("docker", "tag", identity, reference)
    return reference


def load(reference: str) -> None:
    """Load an image of Docker's into every node, and record it as the one to run."""
    run("kind", "load", "docker-image", reference, f"--name={paths.CLUSTER_NAME}")
    write_private(paths.KIND_IMAGE, reference + "\n")
