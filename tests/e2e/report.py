"""The measurements of the end-to-end tests of phases 2 to 4, as pages and a picture: `make measured`.

It takes the files that the tests have left in `.cache/e2e`, each of the newest run of its test, and writes
`docs/measured`. What no test has measured on this machine stays as it was.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS, OUT = ROOT / ".cache" / "e2e", ROOT / "docs" / "measured"

WIDTH, HEIGHT, LEFT, MARGIN = 900, 260, 40, 30
"""Of the picture, in its own units."""

Record = dict[str, Any]


def table(rows: list[Record]) -> str:
    """Return records as a Markdown table, with the first one's keys as its head."""
    head = list(rows[0])
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *([format_value(row[key]) for key in head] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def format_value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(map(format_value, value)) if isinstance(value, list) else str(value)


def records(file: Path) -> list[Record]:
    """Return the objects of a file that has one a line."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def as_table(files: list[Path]) -> str:
    return table([record for file in files for record in records(file)])


def shares(files: list[Path]) -> str:
    return table(
        [
            {"instance": name, "share of reads, %": 100 * share}
            for file in files
            for name, share in records(file)[0].items()
        ]
    )


def as_list(files: list[Path]) -> str:
    return "\n".join(f"- {line}" for file in files for line in file.read_text().splitlines())


PAGES: dict[int, tuple[tuple[str, str, Callable[[list[Path]], str]], ...]] = {
    2: (
        ("The pipeline under load: phase 1 as staging, phase 2 as production", "rehearsal.json", as_table),
        ("A signing key changed in OpenBao, under load", "secret-store-key.json", as_table),
        ("OpenBao away, under load", "secret-store-away.json", as_table),
    ),
    3: (
        ("Phase 2 turned into phase 3 in place", "growth.txt", as_list),
        ("Rolling updates at 200 requests a second", "rolling-update.txt", as_list),
        ("A step of load and its end", "autoscaling.json", as_table),
        ("The primary killed under writes", "primary-killed.json", as_table),
        ("The same where no standby confirms writes: the loss is seen", "asynchronous.json", as_table),
        ("Switchover", "switchover.json", as_table),
        ("Where reads come from", "reads.json", shares),
        ("A table dropped and brought back", "restore.txt", as_list),
        ("An injected error rate", "page.json", as_table),
        ("PromQL expressions asked of the live Prometheus", "live.txt", as_list),
        ("`pulumi preview` without changes", "preview.txt", as_list),
        ("Lines of requests in Elasticsearch", "logs.json", as_table),
    ),
    4: (
        ("Memory and processor of each part, at rest", "parts.json", as_table),
        ("Lines of requests in Elasticsearch", "logs.json", as_table),
        ("Growth out of phase 3, under load", "growth.txt", as_list),
        ("Load on tasks alone", "alone-scaling.json", as_table),
        ("A release of tasks that never becomes ready", "alone-broken-release.json", as_table),
        ("Rolling updates of one service, at 100 requests a second", "alone-rolling-update-*.json", as_table),
        ("A former and this version of a service side by side", "versions-*.json", as_table),
        ("Generated requests through the gateway", "fuzzing-*.json", as_table),
        ("The consumer of analytics killed again and again", "alone-consumer-killed.json", as_table),
        ("PromQL expressions asked of the live Prometheus", "live.txt", as_list),
    ),
}
"""By phase: a title, a pattern of the files that tests leave, and how they are shown."""


FAULTS = "Parts lost under load"


def page(results: Path, phase: int, former: str = "") -> str:
    """Return the page of all results of a phase in a folder; empty when there are none.

    Args:
        results: the folder.
        phase: its number.
        former: the page until now. Its sections stay that were not measured anew.
    """
    nodes = "Three nodes share" if phase == 3 else "One node has"
    how = (
        f"Written by `make measured` from what the tests of `tests/e2e` left. {nodes} the {os.cpu_count()} processors"
        " of one machine, the load's and the control plane's included."
    )
    measured: dict[str, str] = {}
    if faults := sorted([*results.glob("fault-*.json"), *results.glob("away-*.json")]):
        measured[FAULTS] = f"## {FAULTS} ({day(faults)})\n\n{as_table(faults)}"
    for title, pattern, show in PAGES[phase]:
        if files := sorted(results.glob(pattern)):
            measured[title] = f"## {title} ({day(files)})\n\n{show(files)}"
            if pattern == "autoscaling.json":
                measured[title] += "\n\n![Instances that were ready, and when](autoscaling.svg)"
    if not measured:
        return ""
    all_sections = sections(former) | measured
    shown = [all_sections[title] for title in (FAULTS, *(title for title, *_ in PAGES[phase])) if title in all_sections]
    return "\n\n".join([f"# Phase {phase} on the local cluster: what was measured", how, *shown, ""])


def sections(text: str) -> dict[str, str]:
    """Return the sections of a page, by their titles without the day."""
    found = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {re.sub(r"## (.*) \([\d-]+\)\n.*", r"\1", each, flags=re.DOTALL): each.strip() for each in found}


def day(files: list[Path]) -> str:
    """Return the day of the oldest of some files."""
    return f"{datetime.fromtimestamp(min(file.stat().st_mtime for file in files), UTC):%Y-%m-%d}"


def chart(file: Path) -> str:
    """Draw how many instances were ready, from before the step of load until they had gone again, as SVG."""
    instances: list[tuple[float, int]] = json.loads(file.read_text())
    start, end, most = instances[0][0], instances[-1][0], max(number for _, number in instances)

    def x(second: float) -> float:
        return round(LEFT + (second - start) / (end - start) * (WIDTH - LEFT - MARGIN), 1)

    def y(number: int) -> float:
        return round(HEIGHT - MARGIN - number / (most + 1) * (HEIGHT - 2 * MARGIN), 1)

    line = " ".join(f"H{x(second)} V{y(number)}" for second, number in instances)
    rows = [
        f'<text x="{LEFT - 8}" y="{y(number) + 4}" text-anchor="end">{number}</text>'
        f'<path d="M{LEFT} {y(number)} H{WIDTH - MARGIN}" stroke="#e5e7eb"/>'
        for number in range(most + 1)
    ]
    columns = [
        f'<text x="{x(minute * 60)}" y="{HEIGHT - 8}" text-anchor="middle">{minute} min</text>'
        for minute in range(0, int(end // 60) + 1, 2)
    ]
    step = (
        f'<path d="M{x(0)} {y(most + 1)} V{y(0)}" stroke="#b91c1c" stroke-dasharray="4"/>'
        f'<text x="{x(0) + 6}" y="{y(most + 1) + 10}" fill="#b91c1c">the step of load</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        f' font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(rows)}{"".join(columns)}{step}'
        f'<path d="M{x(start)} {y(instances[0][1])} {line}" fill="none" stroke="#2563eb" stroke-width="2"/></svg>\n'
    )


def main(results: Path = RESULTS, out: Path = OUT) -> None:
    """Write the pages and the picture. Where there is nothing new the former ones stay."""
    out.mkdir(parents=True, exist_ok=True)
    found = False
    for phase in PAGES:
        file = out / f"phase{phase}.md"
        if text := page(results / f"phase{phase}", phase, file.read_text() if file.exists() else ""):
            file.write_text(text)
            found = True
    if not found:
        sys.exit("error: nothing has been measured here: run `make e2e PHASE=3` first")
    if (instances := results / "phase3" / "instances.json").exists():
        (out / "autoscaling.svg").write_text(chart(instances))


if __name__ == "__main__":
    main()
