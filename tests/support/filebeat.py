"""A node of a cluster as its shipper of logs sees it: the kubelet's folder, and a real Filebeat that reads it."""

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

PIECE = 16 * 1024
"""Characters of a line that containerd writes at a time."""


@dataclass(frozen=True)
class Node:
    """Attributes: folder holds the logs of its pods, Filebeat's files, and what it says."""

    folder: Path

    @property
    def pods(self) -> Path:
        return self.folder / "pods"

    @property
    def said(self) -> str:
        """What Filebeat has said so far."""
        return (self.folder / "said").read_text()

    def waiting(self) -> int:
        """Bytes on the disk that have not been sent yet."""
        return sum(file.stat().st_size for file in (self.folder / "data" / "diskqueue").glob("*.seg"))

    def write(self, pod: str, lines: Iterable[str], stream: str = "stderr") -> Path:
        """Write lines as a container runtime does, each with its time; return the file."""
        file = self.pods / pod / "api" / "0.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as log:
            for line in lines:
                now = datetime.now(UTC).isoformat().replace("+00:00", "000Z")
                *parts, last = [line[start : start + PIECE] for start in range(0, len(line), PIECE)] or [""]
                log.writelines(f"{now} {stream} P {part}\n" for part in parts)
                log.write(f"{now} {stream} F {last}\n")
        return file

    @contextmanager
    def shipper(self, shipping: Shipping, secret: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Run Filebeat until the block ends. Where it stopped the last time, it goes on."""
        config = self.folder / "config"
        config.mkdir(exist_ok=True)
        for name, content in filebeat.files(shipping).items():
            (config / name).write_text(content)
            (config / name).chmod(0o600)
        arguments = filebeat.arguments(str(config), str(self.folder / "data"))
        # Its status listens at a port that is the same for all.
        command = [built("filebeat"), *arguments, "-E", "http.enabled=false"]
        variables = {"SECRET": secret, "NODE_NAME": "node-1", "SSL_CERT_DIR": str(self.folder / "trusted")}
        with (self.folder / "said").open("ab") as log:
            process = subprocess.Popen(command, stderr=log, env={**os.environ, **variables}, cwd=self.folder)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)
