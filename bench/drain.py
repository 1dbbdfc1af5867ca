"""`python -m bench.drain`: how each server that could take gunicorn's place behaves while its pod ends."""

import http.client
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2

from bench.servers import ROOT, Running, serving
from bench.stage import DATABASE, LIST, Stage, stage
from tests.support.draining import PAUSES, Service, clients_of, outcomes_of
from tests.support.ports import wait_for

SERVERS = (("gthread", "whole"), ("gevent", "whole"), ("granian", "whole"), ("granian", "closing"))
"""Server, and the application of bench.targets."""

DRAIN, ENDPOINT_LAG, PATIENCE = 2.0, 0.5, 30.0
"""Seconds: that the preStop hook waits; until new connections go elsewhere; that a server may take to end."""

LONG = "x" * 16_000
"""A query that gunicorn refuses by 414, as the OpenAPI document says."""


def lost(server: str, name: str, environment: dict[str, str], folder: Path) -> Counter[str]:
    """Return what the requests of kept connections came to while their pod drained and ended, but for the good ones."""
    with (
        serving(server, name, environment, folder) as leaving,
        serving(server, name, environment, folder) as staying,
    ):
        service = Service(_port(leaving))
        with clients_of(service) as clients:
            hook = _drain(leaving, environment, folder)
            time.sleep(ENDPOINT_LAG)
            service.port = _port(staying)
            hook.wait(PATIENCE)
            leaving.process.terminate()
            leaving.process.wait(PATIENCE)
            time.sleep(max(PAUSES))
    outcomes = outcomes_of(clients)
    del outcomes["200"]
    return outcomes


def in_flight(server: str, name: str, set_up: Stage, folder: Path) -> tuple[bool, bool]:
    """Let a request wait for the database when TERM comes. Return whether others were answered while it waited, and
    whether it was answered when it could be."""
    url = set_up.database.url(DATABASE).replace("+psycopg2", "")
    with (
        serving(server, name, set_up.environment, folder) as running,
        ThreadPoolExecutor(1) as threads,
        closing(psycopg2.connect(url)) as other,
    ):
        other.cursor().execute("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE")
        request = urllib.request.Request(  # noqa: S310 a loopback address
            f"{running.url}{LIST}?q={server}-{name}", headers={"Authorization": f"Bearer {set_up.token}"}
        )
        answer = threads.submit(_status, request, PATIENCE)
        waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_for(lambda: bool(set_up.database.execute(waits)), "the request waits")
        alive = _status(f"{running.url}/health/live", 2.0) == 200
        running.process.terminate()
        time.sleep(ENDPOINT_LAG)
        other.commit()
        return alive, answer.result() == 200


def too_long(server: str, name: str, environment: dict[str, str], folder: Path) -> int | None:
    """Return the status that a URL gets which is too long."""
    with serving(server, name, environment, folder) as running:
        return _status(f"{running.url}/health/live?{LONG}", 5.0)


def _status(request: str | urllib.request.Request, seconds: float) -> int | None:
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:  # noqa: S310 a loopback address
            status: int = response.status
            return status
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException):
        return None


def _port(running: Running) -> int:
    return int(running.url.rpartition(":")[2])


def _drain(running: Running, environment: dict[str, str], folder: Path) -> "subprocess.Popen[bytes]":
    """Start the preStop hook beside a server."""
    command = [sys.executable, "-m", "app", "drain", "--seconds", str(DRAIN)]
    return subprocess.Popen(
        command, cwd=ROOT, env={**environment, "APP_DRAIN_FILE": str(folder / f"draining-{_port(running)}")}
    )


def main() -> int:
    """Put each server through it, and print what was seen as a table."""
    titles = ("server", "application", "lost in a drain", "answers others while one waits", "ends it", "long URL")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    with tempfile.TemporaryDirectory(prefix="bench-") as name, stage(Path(name)) as set_up:
        for server, application in SERVERS:
            arguments = (server, application, set_up.environment, Path(name))
            failures = json.dumps(lost(*arguments))
            alive, answered = in_flight(server, application, set_up, Path(name))
            status = str(too_long(*arguments))
            lines.append(f"| {' | '.join((server, application, failures, str(alive), str(answered), status))} |")
            sys.stderr.write(lines[-1] + "\n")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
