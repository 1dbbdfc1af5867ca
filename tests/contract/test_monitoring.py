"""Rules: each alert fires when it should, is silent when it should, and leads to a page that says what to do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import tools

MONITORING = Path(__file__).parents[2] / "monitoring"
RULES = sorted((MONITORING / "rules").glob("*.yaml"))
TESTS = sorted((MONITORING / "tests").glob("*.yaml"))
RUNBOOKS = "https://github.com/primetrade/task-manager/blob/main/monitoring/runbooks/"
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]

ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for path in RULES
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}
CASES: list[dict[str, Any]] = [
    case
    for path in TESTS
    for test in yaml.safe_load(path.read_text())["tests"]
    for case in test.get("alert_rule_test", [])
]

every_alert = pytest.mark.parametrize("name", ALERTS)


def promtool(*arguments: str | Path) -> str:
    """Return what promtool says; fail when it finds anything wrong."""
    done = subprocess.run(
        [tools.build("prometheus") / "promtool", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_rules() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", *RULES)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_alerts_fire_and_stay_silent(path: Path) -> None:
    promtool("test", "rules", path)


@every_alert
def test_an_alert_is_seen_to_fire_and_to_be_silent(name: str) -> None:
    outcomes = {bool(case["exp_alerts"]) for case in CASES if case["alertname"] == name}
    assert outcomes == {True, False}


@every_alert
def test_an_alert_says_how_urgent_it_is_and_what_to_do(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert alert["annotations"]["runbook_url"] == f"{RUNBOOKS}{name}.md"
    page = (MONITORING / "runbooks" / f"{name}.md").read_text()
    assert page.startswith(f"# {name}\n")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == SECTIONS


def test_no_runbook_is_about_an_alert_that_is_gone() -> None:
    assert {path.stem for path in (MONITORING / "runbooks").glob("*.md")} == ALERTS.keys()


def test_runbooks_lead_to_each_other_and_to_nowhere_else() -> None:
    for path in (MONITORING / "runbooks").glob("*.md"):
        for target in re.findall(r"\]\(([^)]*)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} leads to {target}"
