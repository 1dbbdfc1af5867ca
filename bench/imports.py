"""How many rows of a CSV file a worker stores in a second, and what it holds in memory meanwhile.

`python -m bench.imports ROWS CHARACTERS` imports a file of so many rows, with descriptions of so many characters, into
the database of the settings, and prints what that took.
"""

import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

from bench.servers import ROOT
from bench.stage import Stage

HEADER = "title,description,status,due_at,tags\n"
LINE = "Task number {n},{description},{status},2030-01-{day:02d}T12:00:00Z,{tags}\n"
SHORT, LONG = 40, 1000
"""Characters of a description: of the file that is timed, and of the large one. The latter's lines have hardly more."""

DATABASE = "imports"


def imports(stage: Stage, runs: int, rows: int, large_mib: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Import a file several times, and a large one once; each in a process and into a database of its own.

    Args:
        rows: how many the file has.
        large_mib: size of the large one.
    """
    found = []
    for number in range(runs):
        say(f"import {number + 1} of {runs}: {rows:,} rows")
        found.append(_alone(stage, rows, SHORT))
    say(f"import {large_mib:,} MiB")
    large = _alone(stage, (large_mib << 20) // LONG, LONG)
    return {
        "rows": rows,
        "rates": [run["rate"] for run in found],
        "peak_mib": max(run["peak_mib"] for run in found),
        "large": {"mib": large_mib, **large},
    }


def _alone(stage: Stage, rows: int, characters: int) -> dict[str, Any]:
    stage.database.execute(f"CREATE DATABASE {DATABASE}")
    try:
        environment = {**stage.environment, "APP_DATABASE_URL": stage.database.url(DATABASE)}
        outputs = [
            subprocess.run(
                [sys.executable, "-m", *command], cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE
            ).stdout
            for command in (["app", "migrate"], ["bench.imports", str(rows), str(characters)])
        ]
        run: dict[str, Any] = json.loads(outputs[-1])
        return run
    finally:
        stage.database.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def main(rows: int, characters: int) -> None:
    """Store a file as an upload does, import it as a worker does, and print what that took."""
    from app.bootstrap.container import build
    from app.core.clock import new_id
    from app.core.settings import load_settings

    parts, user_id = build(load_settings()), new_id()
    gc.freeze()
    upload = parts.jobs.upload()
    upload.write(HEADER.encode())
    lines = (
        LINE.format(
            n=n,
            description=f"What is to be done about it: {n} ".ljust(characters, "x"),
            status=("todo", "in_progress", "done")[n % 3],
            day=1 + n % 28,
            tags="home;work" if n % 5 == 0 else "",
        )
        for n in range(rows)
    )
    while some := "".join(islice(lines, 1000)):
        upload.write(some.encode())
    upload.close()
    job = parts.jobs.queue(user_id, "import", upload=upload)
    began = time.perf_counter()
    parts.background.runner.run(job.id)
    seconds = time.perf_counter() - began
    job = parts.jobs.get(user_id, job.id)
    if (job.state, job.done, job.refused) != ("succeeded", rows, 0):
        raise RuntimeError(f"the import has not done what it should: {job}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts it in KiB
    sys.stdout.write(json.dumps({"rows": rows, "rate": round(rows / seconds), "peak_mib": round(peak, 1)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
