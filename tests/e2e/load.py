"""Steady load over keep-alive connections, by vegeta, with every request counted."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.system import ROOT, in_shell


@dataclass
class Load:
    """A running load; `requests` and the rest are filled in when it has ended."""

    results: Path
    requests: int = 0
    failures: int = 0
    created: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    p99_ms: float = 0

    def so_far(self) -> int:
        """Return how many requests have been answered or have failed until now."""
        return int(self.report()["requests"]) if self.results.stat().st_size else 0

    def report(self) -> dict[str, Any]:
        """Return vegeta's summary of the results as they are now."""
        report: dict[str, Any] = json.loads(in_shell("vegeta", "report", "-type=json", str(self.results)).ok())
        return report


@contextmanager
def steady_load(
    directory: Path, targets: list[str], token: str, *, rate: int, connections: int = 50, tasks: str = ""
) -> Iterator[Load]:
    """Send GET requests to `targets` in turn, `rate` a second, until the block ends.

    Args:
        directory: where the targets and the results are kept.
        targets: addresses, all on this machine.
        token: a bearer token for each request.
        rate: requests a second.
        connections: the number of idle keep-alive connections that are kept open.
        tasks: address at which a task is created in each turn; empty for none.
    """
    written, body = directory / "targets", directory / "task.json"
    turn = [f"GET {target}\nAuthorization: Bearer {token}" for target in targets]
    if tasks:
        body.write_text(json.dumps({"title": "Written under load"}))
        turn.append(f"POST {tasks}\nAuthorization: Bearer {token}\nContent-Type: application/json\n@{body}")
    written.write_text("\n\n".join(turn))
    load = Load(directory / "results.bin")
    load.results.touch()
    command = (
        'eval "$(.venv/infra/bin/python -m local env)"; exec vegeta attack -duration=0 -insecure -timeout=30s'
        # Bounded, so that a system that can't keep up shows itself in times rather than in ever more connections.
        f" -rate={rate} -connections={connections} -max-workers=200 -targets={written} -output={load.results}"
    )
    attack = subprocess.Popen(["bash", "-ec", command], cwd=ROOT)
    try:
        yield load
    finally:
        attack.send_signal(signal.SIGINT)
        attack.wait(60)
    report = load.report()
    load.requests, load.statuses, load.errors = report["requests"], report["status_codes"], report["errors"]
    load.created = load.statuses.get("201", 0)
    load.failures = load.requests - load.statuses.get("200", 0) - load.created
    load.p99_ms = report["latencies"]["99th"] / 1e6
