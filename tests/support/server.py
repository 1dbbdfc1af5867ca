"""The real server, run by its entry point."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
SECRET = "test-secret-0123456789-abcdefghijklmnop-XYZ"


@dataclass
class Server:
    port: int
    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def metrics_url(self) -> str:
        return f"http://127.0.0.1:{self.environment['APP_METRICS_PORT']}/metrics"

    def drain(self, seconds: float) -> "subprocess.Popen[bytes]":
        """Start the preStop hook in parallel to the server."""
        return subprocess.Popen(
            [sys.executable, "-m", "app", "drain", "--seconds", str(seconds)], cwd=ROOT, env=self.environment
        )

    def terminate(self) -> int:
        """Send TERM as Kubernetes does, and return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


def environment(folder: Path, database_url: str, port: int, **more: str) -> dict[str, str]:
    """Return the environment of a server with a folder of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("APP_")}
    return {
        **inherited,
        "APP_DATABASE_URL": database_url,
        "APP_SECRET_KEY": SECRET,
        "APP_HOST": "127.0.0.1",
        "APP_PORT": str(port),
        "APP_METRICS_PORT": str(free_port()),
        "APP_DRAIN_FILE": str(folder / f"draining-{port}"),
        "APP_PASSWORD_MEMORY_KIB": "8",
        **more,
    }


@contextmanager
def server(
    folder: Path, database_url: str, service: str = "all", state: str = "ready", **more: str
) -> Iterator[Server]:
    """Run a server until the block ends; it is ready when the block begins.

    Args:
        folder: for its log and its drain file.
        database_url: a migrated database.
        service: the service to run. One without auth gets the URL of keys that SECRET makes, unless `more` has another.
        state: health check to wait for: `ready` or `live`.
        more: further environment variables.
    """
    from app.core.security.keys import signature_key
    from tests.support.issuer import Issuer, issuer

    with ExitStack() as stack:
        if service not in ("all", "auth") and "APP_JWKS_URL" not in more:
            more["APP_JWKS_URL"] = stack.enter_context(issuer(Issuer(signature_key(SECRET)))).url
        yield stack.enter_context(_server(folder, database_url, service, state, **more))


@contextmanager
def _server(folder: Path, database_url: str, service: str, state: str, **more: str) -> Iterator[Server]:
    import httpx

    port = free_port()
    variables = environment(folder, database_url, port, **more)
    log = folder / f"server-{port}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--service", service],
            cwd=ROOT,
            env=variables,
            stdout=file,
            stderr=file,
        )
    running = Server(port, process, variables, log)

    def ready() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"the server did not start:\n{log.read_text()}")
        try:
            return httpx.get(f"{running.url}/health/{state}").status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_for(ready, f"the server is {state}")
        yield running
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(5)


@contextmanager
def process(
    folder: Path, variables: dict[str, str], command: str, *arguments: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run another command of the application, such as a worker, until the block ends."""
    with (folder / f"{command}.log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "app", command, *arguments], cwd=ROOT, env=variables, stdout=log, stderr=log
        )
    try:
        yield started
    finally:
        started.kill()
        started.wait(5)
