"""The edge: a real Varnish in front of a server, configured as in the cluster."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra import varnish
from infra.edge_rules import RULES, Rule
from tests.support.ports import free_port, wait_for


@dataclass(frozen=True)
class Edge:
    """Attributes: url is where it answers; purge_url where it is told to drop everything; directory where it works."""

    url: str
    purge_url: str
    directory: Path

    def count(self, counter: str) -> int:
        """Return a counter of varnishstat, such as `cache_hit`."""
        command = ["varnishstat", "-n", str(self.directory), "-j", "-f", f"MAIN.{counter}"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return int(json.loads(done.stdout)["counters"][f"MAIN.{counter}"]["value"])


@contextmanager
def edge(folder: Path, origin_port: int, rules: Sequence[Rule] = RULES) -> Iterator[Edge]:
    """Run Varnish until the block ends; it answers when the block begins.

    Args:
        folder: for its files.
        origin_port: where the application listens on loopback.
        rules: what may be kept.
    """
    listen, purge = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    directory = folder / f"varnish-{origin_port}"
    directory.mkdir()
    file = directory / "default.vcl"
    file.write_text(varnish.vcl("127.0.0.1", origin_port, rules))
    command = varnish.arguments(file=str(file), directory=str(directory), listen=listen, purge=purge, memory=32)
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, "TMPDIR": str(directory)}, cwd=directory
        )

    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"Varnish did not start:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"http://{listen}{varnish.HEALTH}", timeout=5):
                return True
        except OSError:
            return False

    try:
        wait_for(answers, "Varnish answers")
        yield Edge(f"http://{listen}", f"http://{purge}", directory)
    finally:
        process.terminate()
        process.wait(10)
