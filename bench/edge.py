"""`python -m bench.edge`: how fast the edge gives what it keeps, beside the API that has made it."""

import argparse
import re
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.load import load
from bench.servers import serving
from bench.stage import fetch, stage
from tests.support.varnish import edge

ANSWER = "/api/v1/openapi.json"


@dataclass(frozen=True)
class Target:
    """Attributes: what is asked for; at which address; whether by who has it already, for a 304."""

    what: str
    url: str
    known: bool = False


def _conditional(url: str, folder: Path) -> Path:
    """Return a script for wrk that asks whether the answer is still the one that it has."""
    with urllib.request.urlopen(url) as response:  # noqa: S310 a loopback address
        etag = response.headers["ETag"].replace('"', '\\"')
    script = folder / "known.lua"
    script.write_text(f'wrk.headers["If-None-Match"] = "{etag}"\n')
    return script


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.edge", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        stage(folder := Path(name)) as set_up,
        serving("entry", "", set_up.environment, folder) as origin,
        edge(folder, int(origin.url.rpartition(":")[2])) as before,
    ):
        [asset, *_] = re.findall(r'"(/static/[^"]+/app\.js)"', fetch(f"{origin.url}/", "").decode())
        targets = [
            Target("public answer, edge", before.url + ANSWER),
            Target("public answer, 304, edge", before.url + ANSWER, known=True),
            Target("static file, edge", before.url + asset),
            Target("public answer, API", origin.url + ANSWER),
            Target("static file, API", origin.url + asset),
        ]
        rates: dict[str, list[float]] = {target.what: [] for target in targets}
        for _ in range(options.rounds):
            for target in targets:
                script = _conditional(target.url, folder) if target.known else None
                rates[target.what].append(load(target.url, options.seconds, script=script).rate)
        hits, misses = before.count("cache_hit"), before.count("cache_miss")
    lines = ["| requests a second | minimum | median | maximum |", "|---|--:|--:|--:|"]
    for what, found in rates.items():
        lines.append(f"| {what} | {min(found):,.0f} | {median(found):,.0f} | {max(found):,.0f} |")
    sys.stdout.write("\n".join(lines) + f"\n\nHit rate: {hits / (hits + misses):.4%} of {hits + misses:,}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
