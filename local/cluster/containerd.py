"""The images that the nodes' containerds hold."""

from __future__ import annotations

from pathlib import Path

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from local.cluster.nodes import Node
from local.errors import LocalError
from local.host.commands import run


def ctr(node: Node, *arguments: str | Path) -> str:
    """Run containerd's own client on a node."""
    return run("ctr", "--address", node.containerd_socket, "--namespace", "k8s.io", *arguments)


@retry(retry=retry_if_exception_type(LocalError), stop=stop_after_delay(30), wait=wait_fixed(0.1), reraise=True)
def wait_until_ready(node: Node) -> None:
    """Return when a node's containerd answers; raise LocalError after 30 s."""
    ctr(node, "version")


def load_image(node: Node, reference: str, archive: Path) -> bool:
    """Bring an archive into a node unless it has it; tell whether it had to be brought."""
    stamp = node.directory / "images" / reference.replace("/", "_")
    if stamp.exists() and stamp.read_text() == archive.name:
        return False
    ctr(node, "images", "import", archive)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(archive.name)
    return True
