"""The log commands of docs/operations.md, run on log lines of the real application."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.version import version

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "operations.md").read_text()
FUNCTION, *COMMANDS = PAGE.split("\n## Logs\n")[1].split("```")[1].strip().splitlines()

WRITER = """
import logging, structlog
from app.core.observability.logging import configure
configure("json", "info")
access, other = structlog.get_logger("access"), structlog.get_logger("tasks")
def answered(path, **said):
    access.info("request", method=said.pop("method", "GET"), route=path, path=path, **said)
answered("/tasks", request_id="one", trace_id="one", status=200, duration_ms=1.5)
answered("/tasks", request_id="two", status=200, duration_ms=900.0)
answered("/me", method="PUT", request_id="three", status=500, duration_ms=501.0)
other.error("failed", request_id="three")
logging.getLogger("library").critical("out of memory")
"""
PLAIN = ["Traceback (most recent call last):", "12", "{half"]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a fake kubectl that prints the application's log and lines that are not JSON."""
    folder = tmp_path_factory.mktemp("logs")
    written = subprocess.run(
        [sys.executable, "-c", WRITER], cwd=ROOT, check=True, capture_output=True, text=True
    ).stderr
    (folder / "lines").write_text(PLAIN[0] + "\n" + written + "\n".join(PLAIN[1:]) + "\n")
    (folder / "kubectl").write_text(f"#!/bin/sh\nexec cat {folder / 'lines'}\n")
    (folder / "kubectl").chmod(0o755)
    return folder


def run(folder: Path, what: str) -> str:
    """Run the command with this comment, with `one` for its search term."""
    [command] = [command for command in COMMANDS if command.endswith(f"# {what}")]
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "ID": "one"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{FUNCTION}\n{command}"], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def objects(printed: str) -> list[dict[str, object]]:
    """Parse the multi-line JSON objects printed by jq."""
    found, rest = [], printed.strip()
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    return found


@pytest.mark.parametrize("what", ["one request, by X-Request-ID", "one trace"])
def test_a_request_is_found(lines: Path, what: str) -> None:
    [found] = objects(run(lines, what))
    assert (found["request_id"], found["version"]) == ("one", version())


def test_what_went_wrong_is_found(lines: Path) -> None:
    found = objects(run(lines, "what went wrong"))
    assert [(line["event"], line["level"]) for line in found] == [("failed", "error"), ("out of memory", "critical")]


def test_slow_answers_are_found(lines: Path) -> None:
    rows = [row.split("\t")[1:] for row in run(lines, "slow answers").splitlines()]
    assert rows == [["GET", "/tasks", "200", "900"], ["PUT", "/me", "500", "501"]]


def test_answers_are_counted(lines: Path) -> None:
    rows = [row.split() for row in run(lines, "answers by route").splitlines()]
    assert rows == [["2", "200", "/tasks"], ["1", "500", "/me"]]


def test_what_is_no_json_is_found(lines: Path) -> None:
    assert run(lines, "what is no JSON").splitlines() == [PLAIN[0], *PLAIN[2:]]


def test_every_command_of_the_page_is_tested() -> None:
    here = Path(__file__).read_text()
    assert len(COMMANDS) == 6
    assert [command for command in COMMANDS if command.rpartition("# ")[2] not in here] == []
