"""Steady load over keep-alive connections, by vegeta, with every request counted."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle, pairwise
from pathlib import Path
from statistics import quantiles
from typing import IO
from urllib.parse import urlsplit
from uuid import uuid4

from tests.e2e.system import System, cluster_environment, run


@dataclass(frozen=True)
class Response:
    """The outcome of a request; times in seconds since the epoch. Status 0: no response at all."""

    sent: float
    ended: float
    method: str
    path: str
    status: int
    error: str
    made: str
    """The identifier of the task that the response's Location names."""

    @property
    def succeeded(self) -> bool:
        return self.status in (200, 201)


@dataclass(frozen=True)
class StoredTasks:
    """Acknowledged tasks, those of them that are lost, and those that are stored twice."""

    acknowledged: int
    lost: int
    twice: int


@dataclass
class Load:
    """A running load; `answers` is filled in when it has ended.

    Args:
        results: vegeta's file.
        title: what the titles of the load's tasks begin with, and of no other's.
        sent: how many requests vegeta has been given until now. Counted here, since its own report of a running load
            takes up to a processor, which the system needs.
    """

    results: Path
    title: str = field(default_factory=lambda: f"Load {uuid4().hex[:8]}")
    sent: int = 0
    responses: list[Response] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return len(self.responses)

    @property
    def failed(self) -> list[Response]:
        return [response for response in self.responses if not response.succeeded]

    @property
    def failures(self) -> int:
        return len(self.failed)

    @property
    def causes(self) -> dict[str, int]:
        """How often each status and error was met."""
        return dict(
            Counter(f"{response.method} {response.path} {response.status} {response.error}" for response in self.failed)
        )

    @property
    def acknowledged(self) -> list[str]:
        """Identifiers of the acknowledged tasks."""
        return [response.made for response in self.responses if response.made]

    def stored_tasks(self, system: System) -> StoredTasks:
        """Compare the acknowledged tasks with those in the database."""
        stored = dict(system.sql(f"select id, title from tasks where title like '{self.title} %'"))  # noqa: S608 - ours
        return StoredTasks(
            acknowledged=len(self.acknowledged),
            lost=len(set(self.acknowledged) - stored.keys()),
            twice=len(stored) - len(set(stored.values())),
        )

    def p99_ms(self, since: float = 0) -> float:
        """Return the 99th percentile of the times of requests sent at or after `since`, in milliseconds."""
        return (
            quantiles([response.ended - response.sent for response in self.responses if response.sent >= since], n=100)[
                98
            ]
            * 1e3
        )

    def gap(self, method: str) -> float:
        """Return the longest time, in seconds, without a successful request of a method."""
        ends = sorted(response.ended for response in self.responses if response.succeeded and response.method == method)
        return max(after - before for before, after in pairwise(ends))

    def recovery(self, since: float) -> float:
        """Return how long after `since` the last request failed, in seconds; 0 where none did."""
        return max([0.0, *(response.ended - since for response in self.failed)])


@contextmanager
def steady_load(
    directory: Path, targets: list[str], *tokens: str, rate: int, connections: int = 50, tasks: str = ""
) -> Iterator[Load]:
    """Send GET requests to `targets` in turn, `rate` a second, until the block ends.

    Args:
        directory: where the results are kept.
        targets: addresses, all on this machine.
        tokens: bearer tokens that take turns: an account has its limit.
        rate: requests a second.
        connections: the number of idle keep-alive connections that are kept open.
        tasks: address at which a task, each with a title of its own, is created in each turn; empty for none.
    """
    load = Load(directory / "results.bin")
    load.results.touch()
    command = (
        # Bounded, so that a system that can't keep up shows itself in times rather than in ever more connections.
        f"vegeta attack -duration=0 -insecure -timeout=30s -rate={rate} -connections={connections} -max-workers=200"
        f" -lazy -format=json -max-body=0 -output={load.results}"
    ).split()
    environment = {**os.environ, **cluster_environment()}
    attack = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, text=True)
    assert attack.stdin
    # A page, so that vegeta is given little more than it sends.
    fcntl.fcntl(attack.stdin, fcntl.F_SETPIPE_SZ, 4096)
    feeder = threading.Thread(target=_feed, args=(attack.stdin, load, _requests(targets, tokens, tasks, load.title)))
    feeder.start()
    try:
        yield load
    finally:
        attack.send_signal(signal.SIGINT)
        attack.wait(60)
        feeder.join(10)
    load.responses = list(_responses(load.results))


def _requests(targets: list[str], tokens: tuple[str, ...], tasks: str, title: str) -> Iterator[str]:
    """Yield requests as vegeta reads them, without an end."""
    for number, token in enumerate(cycle(tokens)):
        head = {"Authorization": [f"Bearer {token}"]}
        for target in targets:
            yield json.dumps({"method": "GET", "url": target, "header": head})
        if tasks:
            body = base64.b64encode(json.dumps({"title": f"{title} {number}"}).encode()).decode()
            head["Content-Type"] = ["application/json"]
            yield json.dumps({"method": "POST", "url": tasks, "header": head, "body": body})


def _feed(pipe: IO[str], load: Load, lines: Iterable[str]) -> None:
    # vegeta reads no further than it sends; that it has ended is how this ends.
    with contextlib.suppress(BrokenPipeError), pipe:
        for line in lines:
            pipe.write(line + "\n")
            pipe.flush()
            load.sent += 1


def _responses(results: Path) -> Iterator[Response]:
    """Yield vegeta's results."""
    encoded = run("vegeta", "encode", "-to=json", str(results), env=cluster_environment()).ok()
    for line in encoded.splitlines():
        result = json.loads(line)
        sent = datetime.fromisoformat(result["timestamp"]).timestamp()
        made = (result["headers"] or {}).get("Location", [""])[0] if result["code"] == 201 else ""
        yield Response(
            sent,
            sent + result["latency"] / 1e9,
            result["method"],
            urlsplit(result["url"]).path,
            result["code"],
            result["error"],
            made.rpartition("/")[2],
        )
