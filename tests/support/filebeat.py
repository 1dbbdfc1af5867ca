"""A node's log folder as the kubelet lays it out, and a real Filebeat that ships it."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from infra.components.observability import filebeat
from infra.components.observability.filebeat import Shipping
from tests.support.tools import built

CHUNK_BYTES = 16 * 1024
"""Characters at which containerd splits a line."""


@dataclass(frozen=True)
class Node:
    """A node.

    Args:
        folder: pod logs, Filebeat's files and its own log.
    """

    folder: Path

    @property
    def pods(self) -> Path:
        return self.folder / "pods"

    @property
    def said(self) -> str:
        """Filebeat's own log so far."""
        return (self.folder / "said").read_text()

    def waiting(self) -> int:
        """Return the bytes in the disk queue."""
        return sum(file.stat().st_size for file in (self.folder / "data" / "diskqueue").glob("*.seg"))

    def write(self, pod: str, lines: Iterable[str], stream: str = "stderr") -> Path:
        """Write lines in the format of a container runtime (CRI); return the file."""
        file = self.pods / pod / "api" / "0.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as log:
            for line in lines:
                now = datetime.now(UTC).isoformat().replace("+00:00", "000Z")
                *parts, last = [line[start : start + CHUNK_BYTES] for start in range(0, len(line), CHUNK_BYTES)] or [""]
                log.writelines(f"{now} {stream} P {part}\n" for part in parts)
                log.write(f"{now} {stream} F {last}\n")
        return file

    @contextmanager
    def shipper(self, shipping: Shipping, secret: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Run Filebeat until the block ends; it resumes where it stopped last."""
        config = self.folder / "config"
        config.mkdir(exist_ok=True)
        for name, content in filebeat.files(shipping).items():
            (config / name).write_text(content)
            (config / name).chmod(0o600)
        arguments = filebeat.arguments(str(config), str(self.folder / "data"))
        # The status endpoint has a fixed port, which parallel tests would share.
        command = [built("filebeat"), *arguments, "-E", "http.enabled=false"]
        variables = {"SECRET": secret, "NODE_NAME": "node-1", "SSL_CERT_DIR": str(self.folder / "trusted")}
        with (self.folder / "said").open("ab") as log:
            process = subprocess.Popen(command, stderr=log, env={**os.environ, **variables}, cwd=self.folder)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)
