"""The report of a pull request: what changes in each stack, what it costs, and what must not be shown."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local import paths
from local.errors import LocalError
from local.pipeline import preview
from local.pipeline.preview import Change, Report
from local.stack import pulumi

URN = "urn:pulumi:prod::task-manager::kubernetes:core/v1:Service::front"
PREVIEW = {
    "steps": [
        {"op": "same", "urn": URN},
        {"op": "update", "urn": URN, "detailedDiff": {"spec.type": {"kind": "update"}, "spec.ports": {"kind": "add"}}},
        {"op": "create", "urn": URN.replace("front", "back"), "newState": {"inputs": {"password": "hunter2"}}},
    ]
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of two commits, whose program prices a stack at 10 and then at 20 to 30 dollars."""
    program = tmp_path / "infra" / "cost"
    program.mkdir(parents=True)
    (tmp_path / "infra" / "__init__.py").touch()
    (program / "__init__.py").touch()
    for least, most in ((10, 10), (20, 30)):
        (program / "__main__.py").write_text(
            "import sys\n"
            "if sys.argv[1:] == ['check', 'prod']: sys.exit('cost: prod is over its budget')\n"
            f'print(\'{{"least": {least}, "most": {most}}}\')\n'
        )
        for command in (
            ["init", "-q"],
            ["add", "-A"],
            ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "x"],
        ):
            subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_words: str, **_options: Any) -> str:
        return json.dumps(PREVIEW)

    monkeypatch.setattr(pulumi, "run", run)


@pytest.mark.usefixtures("repository", "changes")
def test_a_report_has_what_changes_and_the_cost_before_and_after() -> None:
    found = preview.report("staging", "HEAD^1")
    assert (found.before, found.after, found.problem) == ([10, 10], [20, 30], "")
    assert found.changes == [
        Change("update", "kubernetes:core/v1:Service::front", ["spec.ports", "spec.type"]),
        Change("create", "kubernetes:core/v1:Service::back", []),
    ]
    shown = preview.markdown([found])
    assert "| staging | 1 to create, 1 to update | $10 | $20 to $30 | can be deployed |" in shown
    assert "- update `kubernetes:core/v1:Service::front`: `spec.ports`, `spec.type`" in shown
    assert "hunter2" not in shown


@pytest.mark.usefixtures("repository", "changes")
def test_a_stack_over_its_budget_is_said_in_its_row() -> None:
    found = preview.report("prod", "HEAD^1")
    assert found.problem == "cost: prod is over its budget"
    assert "| cost: prod is over its budget |" in preview.markdown([found])


@pytest.mark.usefixtures("changes")
def test_no_worktree_is_left_behind(repository: Path) -> None:
    preview.report("staging", "HEAD^1")
    listed = subprocess.run(
        ["git", "worktree", "list"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    assert len(listed.splitlines()) == 1


@pytest.mark.usefixtures("repository")
def test_a_preview_that_fails_is_a_row_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_words: str, **_options: Any) -> str:
        raise LocalError("no cluster answers")

    monkeypatch.setattr(pulumi, "run", run)
    found = preview.report("staging", "HEAD^1")
    assert (found.problem, found.changes, found.after) == ("no cluster answers", [], [20, 30])


@pytest.mark.usefixtures("repository", "changes")
def test_a_base_that_is_no_commit_is_one_line() -> None:
    with pytest.raises(LocalError, match=r"^BASE=nowhere is no commit of this repository"):
        preview.report("staging", "nowhere")


def test_reports_are_read_as_they_were_written(tmp_path: Path) -> None:
    reports = [Report("prod", [Change("create", "a::b", ["c"])], [1, 2], []), Report("staging", problem="none")]
    for each in reports:
        preview.write(each, tmp_path)
    assert preview.read(tmp_path) == reports
    with pytest.raises(LocalError, match="there is no report"):
        preview.read(tmp_path / "empty")


def test_an_unknown_cost_is_no_zero() -> None:
    assert "| prod | no change | not known | not known | can be deployed |" in preview.markdown([Report("prod")])
