"""The edge: a real Varnish in front of a server, configured as in the cluster."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.components.edge import varnish_config
from infra.components.edge.cache_rules import RULES, Rule
from tests.support.ports import free_port, wait_for


@dataclass(frozen=True)
class Edge:
    """A running Varnish.

    Attributes:
        url: where it answers.
        purge_url: where it is told to drop everything.
        directory: where it works.
        process: the server.
    """

    url: str
    purge_url: str
    directory: Path
    process: subprocess.Popen[bytes]

    def count(self, counter: str) -> int:
        """Return a counter of varnishstat, such as `cache_hit`."""
        command = ["varnishstat", "-n", str(self.directory), "-j", "-f", f"MAIN.{counter}"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return int(json.loads(done.stdout)["counters"][f"MAIN.{counter}"]["value"])


@contextmanager
def exporter(before: Edge) -> Iterator[str]:
    """Run the exporter of an edge until the block ends; it has counted when the block begins. Return host and port."""
    listen = f"127.0.0.1:{free_port()}"
    command = varnish_config.exporter_arguments(directory=str(before.directory), listen=listen)
    with (before.directory / "exporter.log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            wait_for(lambda: told(listen).get("varnish_up") == 1, "the exporter has found Varnish")
            yield listen
        finally:
            process.terminate()


def told(address: str) -> Mapping[str, float]:
    """Return what an exporter tells, by name and labels as it writes them; nothing while it does not listen."""
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return {}
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {sample: float(value) for sample, _, value in samples}


@contextmanager
def edge(folder: Path, origin_port: int, rules: Sequence[Rule] = RULES, resolver: Path | None = None) -> Iterator[Edge]:
    """Run Varnish until the block ends; it answers when the block begins.

    Args:
        folder: for its files.
        origin_port: where the application listens on loopback.
        rules: what may be kept.
        resolver: folder of a `getent` in place of the system's.
    """
    listen, purge = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    directory = folder / f"varnish-{origin_port}"
    directory.mkdir()
    file = directory / "default.vcl"
    file.write_text(varnish_config.vcl("127.0.0.1", origin_port, rules))
    server = varnish_config.arguments(file=str(file), directory=str(directory), listen=listen, purge=purge, memory=32)
    command = varnish_config.watched("127.0.0.1", server, seconds=0.2)
    path = os.pathsep.join([*([str(resolver)] if resolver else []), os.environ["PATH"]])
    environment = {**os.environ, "TMPDIR": str(directory), "PATH": path}
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=directory)

    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"Varnish did not start:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"http://{listen}{varnish_config.HEALTH}", timeout=5):
                return True
        except OSError:
            return False

    try:
        wait_for(answers, "Varnish answers")
        yield Edge(f"http://{listen}", f"http://{purge}", directory, process)
    finally:
        process.terminate()
        process.wait(10)
