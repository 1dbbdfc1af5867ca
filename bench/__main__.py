"""`python -m bench`: measure, and write bench/results/."""

import argparse
import contextlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import report
from bench.growth import growth
from bench.imports import imports
from bench.load import CONNECTIONS, Measured, load
from bench.servers import Running, serving
from bench.slow_redis import slow_redis
from bench.stage import EMAIL, LIST, PASSWORD, Stage, stage
from bench.targets import NAIVE_PATH

STARTS = 5
FEW, QUICK_FEW, QUICK_MANY = 100_000, 10_000, 100_000
"""Tasks of the small database, and of both when it has to be quick."""
IMPORTED, QUICK_IMPORTED = 100_000, 10_000
"""Rows of the file whose import is timed."""


@dataclass(frozen=True)
class Target:
    """Attributes: name is the application of bench.targets; token says whose: ours, plain or none; body is posted."""

    key: str
    what: str
    server: str
    name: str
    path: str
    token: str = ""
    body: str = ""


HELLO, OURS = "bare Flask", "our list, kept"
TARGETS = [
    Target("a", HELLO, "gthread", "hello", "/"),
    Target("b", "token, one read of Valkey", "gthread", "naive", NAIVE_PATH, "plain"),
    Target("c", OURS, "gthread", "whole", LIST, "ours"),
    Target("d", "our list, from PostgreSQL", "gthread", "uncached", LIST, "ours"),
    Target(
        "e", "log-in", "gthread", "whole", "/api/v1/auth/login", "", json.dumps({"email": EMAIL, "password": PASSWORD})
    ),
    Target("g", "FastAPI's style, from PostgreSQL", "uvicorn", "", "/tasks", "plain"),
    *(
        Target(key, what, server, name, path, token)
        for server in ("sync", "gevent", "granian")
        for key, what, name, path, token in (
            (f"a/{server}", HELLO, "hello", "/", ""),
            (f"c/{server}", OURS, "whole", LIST, "ours"),
        )
    ),
    # Last in each round: it changes what c and d show.
    Target("f", "create", "gthread", "whole", LIST, "ours", json.dumps({"title": "A task"})),
]
AIMS = [
    ("c ≥ 1.2 times b", "c", "b", 1.2),
    ("c ≥ 0.5 times a", "c", "a", 0.5),
    ("c > 1,000 a second", "c", None, 1000.0),
    ("c ≥ 3 times g", "c", "g", 3.0),
    ("d ≥ 1.3 times g", "d", "g", 1.3),
    ("another server wins c by 1.3 times (granian)", "c/granian", "c", 1.3),
    ("another server wins c by 1.3 times (gevent)", "c/gevent", "c", 1.3),
    ("another server wins c by 1.3 times (sync)", "c/sync", "c", 1.3),
]


class Say:
    """Progress, on standard error: a terminal keeps the current step on one line, a pipe gets a line each."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        start, end = ("\r\x1b[K", "") if self._terminal else ("", "\n")
        sys.stderr.write(f"{start}{time.monotonic() - self._began:6.1f} s  {text}{end}")
        sys.stderr.flush()

    def done(self) -> None:
        sys.stderr.write("\n" if self._terminal else "")


def rounds(set_up: Stage, folder: Path, count: int, seconds: int, say: Say) -> tuple[list[dict[str, Any]], float]:
    """Measure every target once a round; return the rows, and the memory of our worker after the load."""
    tokens = {"ours": set_up.token, "plain": set_up.plain_token, "": ""}
    found: dict[str, list[Measured]] = {target.key: [] for target in TARGETS}
    cpu: dict[str, list[float]] = {target.key: [] for target in TARGETS}
    with contextlib.ExitStack() as servers:
        running: dict[tuple[str, str], Running] = {}
        for target in TARGETS:
            if (target.server, target.name) not in running:
                say(f"start {target.server} {target.name}")
                running[target.server, target.name] = servers.enter_context(
                    serving(target.server, target.name, set_up.environment, folder)
                )
        for number in range(count):
            for target in TARGETS:
                say(f"round {number + 1} of {count}: {target.key} {target.what} ({target.server})")
                script = folder / "post.lua"
                script.write_text(
                    'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
                    f"wrk.body = [[{target.body}]]\n"
                )
                server = running[target.server, target.name]
                used = server.cpu_seconds()
                measured = load(
                    server.url + target.path, seconds, tokens[target.token], script if target.body else None
                )
                found[target.key].append(measured)
                cpu[target.key].append(1000 * (server.cpu_seconds() - used) / (measured.rate * seconds))
        memory = running["gthread", "whole"].worker_mib()
    return [
        report.row(
            target.key,
            target.what,
            target.server,
            [m.rate for m in found[target.key]],
            [m.median_ms for m in found[target.key]],
            [m.p99_ms for m in found[target.key]],
            cpu[target.key],
        )
        for target in TARGETS
    ], memory


def aims(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compare the medians with what was aimed at."""
    medians = {row["key"]: row["median"] for row in rows}
    results = []
    for text, key, other, least in AIMS:
        reached = round(medians[key] / medians[other], 2) if other else medians[key]
        results.append({"aim": text, "reached": reached, "met": reached >= least})
    return results


def least_imported(rate: int) -> dict[str, Any]:
    """Compare the rows that an import stores in a second with the aim."""
    return {"aim": "import ≥ 20,000 rows a second", "reached": rate, "met": rate >= 20_000}


def bounds(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Compare with what must not be exceeded."""
    cpu = {row["key"]: row["cpu_ms"] for row in results["rows"]}
    imported, slow = results["imports"], results["slow_redis"]
    large = imported["large"]
    found = [
        # Of a busy machine the processor time says more than the rate.
        ("processor time of c ≤ that of b / 1.2", cpu["c"] / cpu["b"], 1 / 1.2),
        ("start to ready ≤ 1.5 s", results["ready_seconds"], 1.5),
        ("99 % with a slow Redis ≤ 2 times that without", slow["slow_ms"] / slow["sound_ms"], 2),
        (
            f"memory of an import of {large['mib']:,} MiB ≤ 1.1 times that of {imported['rows']:,} rows",
            large["peak_mib"] / imported["peak_mib"],
            1.1,
        ),
    ]
    if growth := results.get("growth"):
        few, many = growth
        found += [
            (
                f"first page at {many['tasks']:,} tasks ≤ 1.5 times that at {few['tasks']:,}",
                many["first_ms"] / few["first_ms"],
                1.5,
            ),
            ("deep page ≤ 1.2 times the first", many["deep_ms"] / many["first_ms"], 1.2),
        ]
    return [{"aim": text, "reached": round(value, 2), "met": value <= most} for text, value, most in found]


def machine() -> str:
    """Return what it is measured on."""
    info = Path("/proc/cpuinfo")
    models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return f"{os.cpu_count()} cores ({models[0] if models else platform.machine()}), Python {platform.python_version()}"


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of a second, few tasks; kept only by --results")
    parser.add_argument("--json", action="store_true", help="print the results as JSON instead of the table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--import-mb", type=int, default=64, help="size of the large file to import, MiB")
    parser.add_argument("--growth", type=int, default=10_000_000, help="tasks of the large database; 0: leave it out")
    parser.add_argument("--results", type=Path, help="where the results go (default: bench/results, and the README)")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.stderr.write("bench: wrk is missing: `sudo apt-get install wrk` brings it\n")
        return 1
    count, seconds = (1, 1) if options.quick else (options.rounds, options.seconds)
    few, many = (QUICK_FEW, QUICK_MANY) if options.quick else (FEW, options.growth)
    say = Say()
    load_average = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        say("start PostgreSQL and Valkey")
        with stage(folder) as set_up:
            rows, memory = rounds(set_up, folder, count, seconds, say)
            say("start to ready")
            starts = []
            for _ in range(1 if options.quick else STARTS):
                with serving("entry", "", set_up.environment, folder) as running:
                    starts.append(running.ready_seconds)
            results: dict[str, Any] = {
                "machine": machine(),
                "load_average": load_average,
                "rounds": count,
                "seconds": seconds,
                "connections": CONNECTIONS,
                "rows": rows,
                "aims": aims(rows),
                "ready_seconds": round(median(starts), 2),
                "worker_mib": memory,
            }
            say("a slow Redis")
            results["slow_redis"] = slow_redis(set_up, folder)
            lines, large = (QUICK_IMPORTED, 4) if options.quick else (IMPORTED, options.import_mb)
            results["imports"] = imports(set_up, count, lines, large, say)
            results["aims"].append(least_imported(round(median(results["imports"]["rates"]))))
            if many:
                with serving("gthread", "uncached", set_up.environment, folder) as running:
                    results["growth"] = growth(set_up, running, (few, many), say)
            results["aims"] += bounds(results)
    say.done()
    if options.results or not options.quick:
        report.write(results, options.results or report.RESULTS)
    if not options.results and not options.quick:
        report.README.write_text(report.in_readme(report.README.read_text(), results))
    sys.stdout.write(json.dumps(results, indent=2) + "\n" if options.json else report.markdown(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
