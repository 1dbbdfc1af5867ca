"""Starts servers and says how long they took and what they hold."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.ports import free_port, wait_for

ROOT = Path(__file__).resolve().parents[1]
GUNICORN = ["-m", "gunicorn", "--config", "python:app.server.gunicorn_config"]
COMMANDS = {
    "gthread": [*GUNICORN, "bench.targets:{name}()"],
    "sync": [*GUNICORN, "--worker-class", "sync", "bench.targets:{name}()"],
    "gevent": ["-m", "gunicorn", "--config", "python:bench.gevent_config", "bench.targets:{name}()"],
    "granian": [
        *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1"),
        *("--blocking-threads", "8", "--no-ws", "--log-level", "warning", "--factory", "bench.targets:{name}"),
    ],
    "uvicorn": [
        *("-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--no-access-log", "--log-level", "warning"),
        "bench.template_style:app",
    ],
    "entry": ["-m", "app", "serve"],
    "service": ["-m", "app", "serve", "--service", "{name}"],
}
"""By server: the arguments of Python. Each runs one worker; `entry` and `service` are what the image runs."""


@dataclass(frozen=True)
class Running:
    url: str
    process: psutil.Process
    ready_seconds: float

    def cpu_seconds(self) -> float:
        """Return the processor time that the server and its worker have used."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(sum(member.cpu_times()[:2]) for member in family)

    def worker_mib(self) -> float:
        """Return the resident memory of the worker: the process that holds most."""
        family = [self.process, *self.process.children(recursive=True)]
        return round(max(member.memory_info().rss for member in family) / (1 << 20), 1)


@contextmanager
def serving(server: str, name: str, environment: dict[str, str], folder: Path) -> Iterator[Running]:
    """Run a server until the block ends; it answers when the block begins."""
    port = free_port()
    words = [word.format(name=name, port=port) for word in COMMANDS[server]]
    log = folder / f"{server}-{name}-{port}.log"
    variables = {
        **environment,
        "APP_PORT": str(port),
        "APP_METRICS_PORT": str(free_port()),
        "APP_DRAIN_FILE": str(folder / f"draining-{port}"),
    }
    began = time.perf_counter()
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=variables, stdout=file, stderr=file)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"{server} did not start:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=5):  # noqa: S310 a loopback address
                return True
        except urllib.error.HTTPError as error:
            return error.code == 404  # one that knows no health answers all the same
        except OSError:
            return False

    try:
        wait_for(answers, f"{server} answers")
        yield Running(url, psutil.Process(process.pid), round(time.perf_counter() - began, 2))
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            for member in psutil.Process(process.pid).children(recursive=True):
                member.kill()
            process.kill()
            process.wait(5)
