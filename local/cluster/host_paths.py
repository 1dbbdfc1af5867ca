"""Directories of a node that pods mount: each node has its own, though all nodes share the machine's file system."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from local.cluster.nodes import Node
from local.errors import LocalError
from local.host.files import write

POD_LOGS = Path("/var/log/pods")
"""Where pods find the kubelet's logs of their node; the kubelet asks that it is there."""
DATA = Path("/var/lib")
STACKS = "task-manager-"
"""What the directories of stacks begin with."""

# The sources of bind mounts are of the machine: those that are a node's are replaced before the container is made.
RUNTIME = """\
#!/bin/sh
set -eu
previous= bundle=
for word; do
  if [ "$previous" = --bundle ]; then bundle=$word; fi
  previous=$word
done
if [ -n "$bundle" ]; then
  for path in $(grep -o '"source":"{data}/{stacks}[^"]*"' "$bundle/config.json" | cut -d '"' -f 4); do
    mkdir -p "{own}$path"
  done
  sed -i -e 's|"source":"{logs}"|"source":"{pod_logs}"|' \\
    -e 's|"source":"{data}/{stacks}|"source":"{own}{data}/{stacks}|g' "$bundle/config.json"
fi
exec {runc} "$@"
"""


def pod_logs(node: Node) -> Path:
    """Return where a node's kubelet keeps the logs of its pods."""
    return node.directory / "pod-logs"


def runtime(node: Node) -> Path:
    """Write a node's runc, which gives pods the node's own directories in place of the machine's; return it.

    Raises:
        LocalError: there is no runc.
    """
    if (runc := shutil.which("runc")) is None:
        raise LocalError("runc is not installed: install it, or run `make up`, which does")
    POD_LOGS.mkdir(parents=True, exist_ok=True)
    own = node.directory / "host"
    content = RUNTIME.format(runc=runc, own=own, logs=POD_LOGS, pod_logs=pod_logs(node), data=DATA, stacks=STACKS)
    return write(node.directory / "runc", content, 0o755)


def remove_leftovers() -> None:
    """Remove the directories that kubelets have made on the machine for stacks; what somebody else's hold stays."""
    for place in DATA.glob(f"{STACKS}*"):
        with contextlib.suppress(OSError):
            place.rmdir()
