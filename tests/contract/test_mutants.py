"""Mutation testing itself: what it makes of a mutant, what it leaves alone, and what it reports."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants import report, runner
from tests.mutants.runner import BaselineError, Copy, Mutant, Result, run
from tests.mutants.suites import ROOT, SUITES, Suite, modules

SUITE = Suite("counting.py", "infra", (("test_counting.py", "-k", "one"), ("test_counting.py", "-k", "three")))
SOURCE = "def double(number):\n    return 2 * number\n"
TEST = """
from counting import double

def test_one():
    assert double(1) == 2

def test_three():
    assert double(3) == 6
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a module and its test, not committed, and with the fork server in it."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "tests" / "mutants", project / "tests" / "mutants")
    (project / "tests" / "__init__.py").touch()
    (project / "counting.py").write_text(SOURCE)
    (project / "test_counting.py").write_text(TEST)
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    return project


@pytest.fixture(scope="module")
def copy(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    with Copy.make(project, tmp_path_factory.mktemp("copies") / "copy", ROOT / ".venv") as copy:
        yield copy


@pytest.fixture(autouse=True)
def short_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LEAST_SECONDS", 3.0)


def mutant(source: str, number: int = 0) -> Mutant:
    return Mutant("counting.py", number, SOURCE, source, SUITE)


def in_a_minute() -> float:
    return time.monotonic() + 60


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("return 3 * number", "killed"),
        ("return 2", "killed"),
        ("return number + number", "survived"),
        ("return (", "killed"),
        ("while True: pass", "timeout"),
    ],
)
def test_a_mutant_is_killed_by_a_failing_test_and_by_nothing_else(copy: Copy, body: str, outcome: str) -> None:
    [result] = run([mutant(f"def double(number):\n    {body}\n")], [copy], in_a_minute())
    assert result.outcome == outcome


def test_mutants_of_one_length_are_told_apart_and_the_sources_stay(copy: Copy, project: Path) -> None:
    """Byte code is looked up by length and second of a source."""
    sources = [SOURCE.replace("2", digit) for digit in "345"] + [SOURCE]
    results = list(run([mutant(source, number) for number, source in enumerate(sources)], [copy], in_a_minute()))
    assert [result.outcome for result in results] == ["killed", "killed", "killed", "survived"]
    assert [(root / "counting.py").read_text() for root in (project, copy.root)] == [SOURCE, SOURCE]


def test_nothing_is_said_of_mutants_when_the_tests_fail_without_them_in_any_copy(
    copy: Copy, project: Path, tmp_path: Path
) -> None:
    with Copy.make(project, tmp_path / "other", ROOT / ".venv") as other:
        (other.root / "counting.py").write_text("def double(number): return 0\n")
        with pytest.raises(BaselineError, match="fails without a mutant"):
            list(run([mutant(SOURCE)], [copy, other], in_a_minute()))


def test_after_the_deadline_no_mutant_is_begun(copy: Copy) -> None:
    [result] = run([mutant("def double(number): return 0\n")], [copy], time.monotonic())
    assert result.outcome == "not run"


def results() -> list[Result]:
    killed, survived = mutant(SOURCE.replace("2", "3"), 1), mutant(SOURCE.replace("number\n", "number * 1\n"), 2)
    other = Mutant("other.py", 0, "", "", SUITE)
    return [Result(killed, "killed"), Result(other, "timeout"), Result(survived, "survived"), Result(other, "not run")]


def test_the_share_is_of_those_that_were_run_and_a_time_out_counts_as_killed() -> None:
    assert report.tally(results()).share == pytest.approx(200 / 3)
    assert report.tally([]).share == 100
    assert report.table(results()[3:]).splitlines()[2] == "| other.py | 0 | 0 | 0 | 1 |  |"
    assert report.table(results()).splitlines()[2:] == [
        "| counting.py | 1 | 0 | 1 | 0 | 50.0 |",
        "| other.py | 0 | 1 | 0 | 1 | 100.0 |",
        "| all | 1 | 1 | 1 | 1 | 66.7 |",
    ]


def test_each_survivor_is_shown_by_its_diff() -> None:
    diff = "--- counting.py\n+++ mutant 2\n@@ -2 +2 @@\n-    return 2 * number\n+    return 2 * number * 1"
    assert report.as_text(results()).startswith(f"{diff}\n\n|")
    assert report.as_json(results())["survivors"] == [{"module": "counting.py", "mutant": 2, "diff": diff}]


def test_a_page_keeps_one_section_of_each_run(tmp_path: Path) -> None:
    page = tmp_path / "mutants.md"
    for title, body in (("app", "one"), ("infra", "two"), ("app", "three")):
        report.record(page, title, body)
    assert page.read_text() == f"{report.HEAD}\n\n## app\n\nthree\n\n## infra\n\ntwo\n"


def test_the_rules_of_every_service_and_all_of_infra_have_tests_to_kill_their_mutants() -> None:
    known = {module for module, _ in modules(["app", "infra"])}
    wanted = [*ROOT.glob("app/**/service.py"), *ROOT.glob("infra/**/*.py")]
    assert {str(file.relative_to(ROOT)) for file in wanted} - known == set()
    tests = {test for suite in SUITES for stage in suite.stages for test in stage if test.startswith("tests/")}
    assert {test for test in tests if not (ROOT / test).exists()} == set()
    with pytest.raises(LookupError, match="local"):
        list(modules(["local"]))
