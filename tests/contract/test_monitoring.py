"""Alert rules: each fires and stays silent when it should, and links to its runbook."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import phases
from infra.components.data.database import READY
from local.tools import go_tools
from monitoring import catalogue
from monitoring.catalogue import FOLDER
from monitoring.expressions import metrics_in, operands

RULES = sorted((FOLDER / "rules").glob("*.yaml"))
TESTS = sorted((FOLDER / "tests").glob("*.yaml"))
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]

ALERTS = catalogue.alerts()
CASES: list[dict[str, Any]] = [
    case
    for path in TESTS
    for test in yaml.safe_load(path.read_text())["tests"]
    for case in test.get("alert_rule_test", [])
]

every_alert = pytest.mark.parametrize("name", ALERTS)


def promtool(*arguments: str | Path) -> str:
    """Return promtool's output; fail when it finds an error."""
    done = subprocess.run(
        [go_tools.build("prometheus") / "promtool", *arguments], capture_output=True, text=True, check=False
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
    assert outcomes == ({True} if name == catalogue.WATCHDOG else {True, False})


@every_alert
def test_an_alert_says_how_urgent_it_is_and_what_to_do(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in (("none",) if name == catalogue.WATCHDOG else ("page", "ticket"))
    assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert alert["annotations"]["runbook_url"] == catalogue.runbook(name)
    page = (FOLDER / "runbooks" / f"{name}.md").read_text()
    assert page.startswith(f"# {name}\n")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == SECTIONS


def recorded() -> dict[str, set[str]]:
    """Return the metrics that each recording rule asks for."""
    found: dict[str, set[str]] = {}
    for rule in catalogue.rules():
        if "record" in rule:
            found.setdefault(rule["record"], set()).update(metrics_in(rule["expr"]))
    return found


def test_every_alert_about_a_service_names_it() -> None:
    exporters = ("The API", "CloudNativePG's", "The backups'")
    of_a_service = {
        metric for name, metrics in catalogue.exported().items() if name.startswith(exporters) for metric in metrics
    }
    of_a_service |= {"rabbitmq_detailed_queue_messages", "rabbitmq_detailed_queue_consumers"}
    records = recorded()
    named: set[str] = set()
    unnamed: set[str] = set()
    for name, alert in ALERTS.items():
        asked = metrics_in(alert["expr"])
        asked |= {metric for record in asked for metric in records.get(record, ())}
        if not asked & of_a_service:
            continue
        labels = [
            set(fired["exp_labels"]) for case in CASES if case["alertname"] == name for fired in case["exp_alerts"]
        ]
        (named if all("service" in each for each in labels) else unnamed).add(name)
    assert unnamed == {"ServerVolumeFills"}, "of servers that are nobody's alone"
    assert len(named) > 20


def test_each_service_has_its_objectives() -> None:
    budgets: dict[str, set[str]] = {}
    for rule in catalogue.rules():
        if rule.get("record", "").endswith(":budget"):
            budgets.setdefault(rule["record"], set()).add(rule["labels"]["service"])
    services = {service for row in phases.PHASES.values() for service in row.services}
    assert budgets == dict.fromkeys(
        ("task_manager:request_errors:budget", "task_manager:slow_requests:budget"), services
    )


def test_no_runbook_is_about_an_alert_that_is_gone() -> None:
    assert {path.stem for path in (FOLDER / "runbooks").glob("*.md")} == ALERTS.keys()


def test_runbooks_lead_to_each_other_and_to_nowhere_else() -> None:
    for path in (FOLDER / "runbooks").glob("*.md"):
        for target in re.findall(r"\]\(([^)]*)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} leads to {target}"


def test_the_runbook_that_changes_readiness_puts_back_what_the_program_says() -> None:
    page = (FOLDER / "runbooks" / "NoStandby.md").read_text()
    [back] = re.findall(r"`(\{.*\})`", page)
    assert json.loads(back).items() <= READY.items()


def test_an_expressions_metrics_are_found() -> None:
    expression = 'sum by (a) (rate(b_total{c="d e"}[5m] offset 1h)) / on (f) group_left (g) h:i > 0.5 and absent(j)'
    assert metrics_in(expression) == {"b_total", "h:i", "j"}


@pytest.mark.parametrize(
    ("expression", "compared"),
    [
        ("sum(a) / sum(b) > 0.3 and rate(c[5m]) > 1", [{"a", "b"}, {"c"}]),
        ('absent(up{job="api"} == 1)', [{"up"}]),
        ("(a > 2 * 3) or b", [{"a"}, {"b"}]),
        ("(a or vector(0)) / b", [{"a", "b"}]),
    ],
)
def test_what_an_alert_compares_is_found(expression: str, compared: list[set[str]]) -> None:
    assert [metrics_in(operand) for operand in operands(expression)] == compared


def test_rules_and_autoscalers_ask_for_no_metric_that_does_not_exist() -> None:
    adapter = yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text())["rules"]
    expressions = [rule["expr"] for rule in catalogue.rules()] + [rule["seriesQuery"] for rule in adapter]
    asked = {name for expression in expressions for name in metrics_in(expression)}
    assert asked
    assert asked - catalogue.known_metrics() == set()
