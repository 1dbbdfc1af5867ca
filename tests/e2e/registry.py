"""An image registry on a loopback port, and buildah's configuration for it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from local import paths
from tests.e2e.system import wait_for
from tests.support.ports import free_port

CONFIGURATION = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {data}}}}}
http: {{addr: "{address}"}}
"""
STORAGE = """
[storage]
driver = "{driver}"
graphroot = "{store}"
runroot = "{run}"
"""
REGISTRIES = """
[[registry]]
location = "{address}"
insecure = true
"""


@dataclass(frozen=True)
class Registry:
    """A running registry.

    Attributes:
        address: host and port.
        environment: what buildah has to be told so that it takes the base image and the layers from the local cluster's
            store, needs no runtime for its steps, and speaks plain HTTP to this registry.
    """

    address: str
    environment: dict[str, str]


@contextmanager
def registry(directory: Path) -> Iterator[Registry]:
    """Run a registry that keeps everything in `directory`, until the block ends."""
    address = f"127.0.0.1:{free_port()}"
    store = paths.BUILD_STORE / "store"
    driver = "overlay" if (store / "overlay-images").exists() else "vfs"
    files = {
        "registry.yaml": CONFIGURATION.format(data=directory / "data", address=address),
        "storage.conf": STORAGE.format(driver=driver, store=store, run=paths.BUILD_STORE / "run"),
        "registries.conf": REGISTRIES.format(address=address),
    }
    for name, text in files.items():
        (directory / name).write_text(text)
    environment = {
        "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(directory / "registries.conf"),
        "BUILDAH_ISOLATION": "chroot",
        "BUILDAH_LAYERS": "true",
        "BUILDAH_FORMAT": "docker",
    }
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            ["docker-registry", "serve", str(directory / "registry.yaml")], stdout=log, stderr=log
        )
    try:
        wait_for("the registry answers", lambda: answers(address))
        yield Registry(address, environment)
    finally:
        server.terminate()
        server.wait(30)


def answers(address: str) -> bool:
    """Tell whether a registry speaks at this address."""
    try:
        return httpx.get(f"http://{address}/v2/").status_code == 200
    except httpx.TransportError:
        return False
