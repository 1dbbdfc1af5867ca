"""What became of the mutants: a table by module and the survivors' diffs, as Markdown or JSON."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.runner import Mutant, Outcome, Result

OUTCOMES: tuple[Outcome, ...] = ("killed", "timeout", "survived", "not run")

HEAD = "# Mutants\n\nWritten by `python -m tests.mutants OF… --record docs/measured/mutants.md`: see `make mutants`."


@dataclass(frozen=True)
class Tally:
    """Mutants by outcome. One that lets its tests run into the time-out has been noticed: it counts as killed."""

    counts: Counter[Outcome]

    @property
    def noticed(self) -> int:
        return self.counts["killed"] + self.counts["timeout"]

    @property
    def ran(self) -> int:
        return self.noticed + self.counts["survived"]

    @property
    def share(self) -> float:
        """Percentage killed of those that were run; 100 of none."""
        return 100 * self.noticed / self.ran if self.ran else 100.0


def tally(results: Sequence[Result]) -> Tally:
    return Tally(Counter(result.outcome for result in results))


def by_module(results: Sequence[Result]) -> dict[str, Tally]:
    modules = sorted({result.mutant.module for result in results})
    return {module: tally([one for one in results if one.mutant.module == module]) for module in modules}


def table(results: Sequence[Result]) -> str:
    """Return a Markdown table: a row a module, and all of them together."""
    rows = [["module", *OUTCOMES, "killed, %"], ["---", *["--:"] * (len(OUTCOMES) + 1)]]
    for name, found in [*by_module(results).items(), ("all", tally(results))]:
        share = f"{found.share:.1f}" if found.ran else ""
        rows.append([name, *(str(found.counts[outcome]) for outcome in OUTCOMES), share])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def survivors(results: Sequence[Result]) -> list[Result]:
    alive = [result for result in results if result.outcome == "survived"]
    return sorted(alive, key=lambda result: (result.mutant.module, result.mutant.number))


def diff(mutant: Mutant) -> str:
    """Return what a mutant changes, as a unified diff without context."""
    before, after = mutant.original.splitlines(), mutant.source.splitlines()
    lines = difflib.unified_diff(before, after, mutant.module, f"mutant {mutant.number}", n=0, lineterm="")
    return "\n".join(lines)


def as_text(results: Sequence[Result]) -> str:
    return "\n\n".join([*(diff(result.mutant) for result in survivors(results)), table(results)])


def as_json(results: Sequence[Result]) -> dict[str, object]:
    return {
        "modules": {name: dict(found.counts) | {"share": found.share} for name, found in by_module(results).items()},
        "share": tally(results).share,
        "survivors": [
            {"module": result.mutant.module, "mutant": result.mutant.number, "diff": diff(result.mutant)}
            for result in survivors(results)
        ],
    }


def record(page: Path, title: str, body: str) -> None:
    """Write a section of a page, in place of the one with that title if there is one."""
    head, *sections = page.read_text().split("\n## ") if page.exists() else [HEAD]
    kept = {section.partition("\n")[0]: section.rstrip("\n") for section in sections}
    kept[title] = f"{title}\n\n{body}"
    page.write_text("\n\n## ".join([head.rstrip("\n"), *kept.values()]) + "\n")
