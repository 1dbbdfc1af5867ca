"""`python -m tests.mutants`: say how many mutants the tests kill, and show those that survive."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.mutants import report
from tests.mutants.mutations import mutations
from tests.mutants.runner import BaselineError, Copy, Mutant, Result, run
from tests.mutants.suites import ROOT, modules

EVERYTHING = ["app", "infra"]

FEW, AIM, MINUTES = 200, 90.0, 60.0


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("of", nargs="*", default=EVERYTHING, help="files and folders; default: %(default)s")
    parser.add_argument("--at-most", type=int, default=FEW, help="mutants, drawn by the seed; 0: all (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the draw (%(default)s)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="after which no mutant is begun (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="mutants at a time (%(default)s)")
    parser.add_argument("--aim", type=float, default=AIM, help="per cent killed, or the exit code is 1 (%(default)s)")
    parser.add_argument("--stage", type=int, choices=(1, 2), help="run only this of the suites' stages, from 1")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--record", type=Path, metavar="PAGE", help="write the table into a page too")
    return parser.parse_args(given)


def draw(options: argparse.Namespace) -> list[Mutant]:
    """Return the mutants of the modules, or as many as are asked for; those of one seed are always the same."""
    found = []
    for module, suite in modules(options.of):
        if options.stage:
            suite = replace(suite, stages=suite.stages[options.stage - 1 : options.stage])
        changes = mutations(module, (ROOT / module).read_text())
        found += [(module, suite, changes, number) for number in range(len(changes))]
    if 0 < options.at_most < len(found):
        found = random.Random(options.seed).sample(found, options.at_most)  # noqa: S311 - no secret
    return [
        Mutant(module, number, changes.original, changes.source(number), suite)
        for module, suite, changes, number in found
    ]


def main(given: list[str]) -> int:
    options = arguments(given)
    mutants = draw(options)
    deadline = time.monotonic() + 60 * options.minutes
    results: list[Result] = []
    (ROOT / ".cache").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mutants-", dir=ROOT / ".cache") as folder, ExitStack() as opened:
        Path(folder).chmod(0o755)  # PostgreSQL runs as somebody else, from the environment that is linked in there
        places = [Path(folder, str(number)) for number in range(options.jobs)]
        copies = [opened.enter_context(Copy.make(ROOT, place, ROOT / ".venv")) for place in places]
        try:
            for result in run(mutants, copies, deadline):
                results.append(result)
                where = f"{result.mutant.module} {result.mutant.number}"
                sys.stderr.write(f"{len(results)}/{len(mutants)} {where}: {result.outcome}\n")
        except BaselineError as error:
            sys.exit(f"mutants: {error}")
    shown = json.dumps(report.as_json(results), indent=2) if options.json else report.as_text(results)
    sys.stdout.write(f"{shown}\n")
    if options.record:
        title = ", ".join(options.of) + (f", stage {options.stage} alone" if options.stage else "")
        drawn = f"seed {options.seed}, at most {options.at_most or 'all'}"
        report.record(options.record, title, f"{datetime.now(UTC):%Y-%m-%d}, {drawn}.\n\n{report.table(results)}")
    return int(report.tally(results).share < options.aim)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
