"""Every test is run by some make target, and what no quick target runs can at least be collected."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """A call of pytest that the Makefile makes.

    Attributes:
        target: whose it is.
        environment: folder of `.venv` that it runs in.
        folders: what it is told to run: folders, or single tests in files.
        ignored: what it leaves out of them.
        options: with which it picks its tests.
    """

    target: str
    environment: str
    folders: tuple[str, ...]
    ignored: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def paths(self) -> set[str]:
        """Return the folders, and the files of single tests."""
        return {folder.partition("::")[0] for folder in self.folders}

    def takes(self, folder: Path) -> bool:
        return _within(folder, self.folders) and not _within(folder, self.ignored)


def _within(folder: Path, above: tuple[str, ...]) -> bool:
    return any((ROOT / path) in (folder, *folder.parents) for path in above)


def runs() -> list[Run]:
    """Return every call of pytest in the Makefile."""
    found: list[Run] = []
    for target, recipe in re.findall(r"^([a-z0-9-]+):.*\n((?:\t.*\n)*)", (ROOT / "Makefile").read_text(), re.MULTILINE):
        for environment, rest in re.findall(r"\$\(([A-Z]+)\)/pytest ([^;\n]*)", recipe):
            rest = re.sub(r"\$\(or \$\(\w+\),(\w+)\)", r"\1", rest)  # what is taken where nothing is given
            words = shlex.split(rest)
            after_ignore = {place + 1 for place, word in enumerate(words) if word == "--ignore"}
            folders = [place for place, word in enumerate(words) if word.startswith("tests/")]
            found.append(
                Run(
                    target,
                    environment.lower(),
                    tuple(words[place] for place in folders if place not in after_ignore),
                    tuple(words[place] for place in after_ignore),
                    tuple(re.findall(r"--bare|--phase|(?<=--phase )\d+", rest)) if "$$phase" not in rest else (),
                )
            )
    return found


RUNS = runs()
SLOW = [run for run in RUNS if run.target != "test"]
"""Runs that are not part of `make test`: that one of these cannot be loaded would show late."""


def test_every_folder_of_tests_is_run_by_a_make_target() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert {str(folder.relative_to(ROOT)) for folder in folders if not any(run.takes(folder) for run in RUNS)} == set()


def test_a_make_target_runs_no_folder_that_is_not_there() -> None:
    assert {path for run in RUNS for path in run.paths if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("run", SLOW, ids=lambda run: "-".join((run.target, *run.folders)))
def test_what_takes_long_can_be_collected(run: Run) -> None:
    program = str(ROOT / ".venv" / run.environment / "bin" / "pytest")
    command = [program, "--collect-only", "--quiet", "--quiet", "-p", "no:cacheprovider", *run.options, *run.folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in run.paths:
        assert path in done.stdout, f"{path} has no test"
