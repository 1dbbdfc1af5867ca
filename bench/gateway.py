"""`python -m bench.gateway URL`: our list (c of the bench) through the gateway of a running phase 4, and what it costs.

Each round has c on a server of the bench's own, then through the gateway, by the same load. Requests to the gateway are
those of several users, since one may ask 200 times a second.
"""

import argparse
import sys
import tempfile
import threading
import uuid
from pathlib import Path

from bench.gateway_report import Round, page
from bench.load import load
from bench.processor_time import used_while
from bench.servers import serving
from bench.stage import LIST, fetch, stage, user_with_tasks

USERS = 12
RESULTS = Path(__file__).parent / "results" / "gateway.md"
NAMESPACE = "task-manager-phase4"


def taking_turns(tokens: list[str], folder: Path) -> Path:
    """Return a script for wrk that sends tokens in turn."""
    script = folder / "users.lua"
    listed = ", ".join(f'"Bearer {token}"' for token in tokens)
    script.write_text(
        f"local tokens, turn = {{ {listed} }}, 0\n"
        "request = function()\n"
        "  turn = turn % #tokens + 1\n"
        '  return wrk.format(nil, nil, { Authorization = tokens[turn], Host = wrk.headers["Host"] })\n'
        "end\n"
    )
    return script


def measure(url: str, alone: str, token: str, script: Path, seconds: int, rest: dict[str, float]) -> Round:
    """Measure c alone, then through the gateway."""
    by_itself = load(alone + LIST, 10, token)
    used: dict[str, float] = {}
    watcher = threading.Thread(target=lambda: used.update(used_while(NAMESPACE, seconds)))
    watcher.start()
    through = load(url + LIST, seconds + 2, script=script)
    watcher.join()
    parts = {name: (value - rest.get(name, 0)) / through.rate * 1000 for name, value in used.items()}
    return Round(by_itself, through, parts)


def main() -> int:
    """Measure, print a table and write it to bench/results."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway", description=__doc__)
    parser.add_argument("url", help="the stack's address, as `make url` prints it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=45, help="of each measurement through the gateway")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        stage(folder := Path(name)) as set_up,
        serving("gthread", "whole", set_up.environment, folder) as alone,
    ):
        users = (user_with_tasks(f"{options.url}/api/v1", f"{uuid.uuid4().hex}@example.com") for _ in range(USERS))
        script = taking_turns([token for _, token in users], folder)
        fetch(alone.url + LIST, set_up.token)
        rest = used_while(NAMESPACE, 60)
        rounds = [
            measure(options.url, alone.url, set_up.token, script, options.seconds, rest) for _ in range(options.rounds)
        ]
    text = page(rounds, options.seconds, USERS)
    RESULTS.write_text(text)
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
