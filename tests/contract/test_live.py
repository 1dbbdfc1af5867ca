"""The check of rules and dashboards against a live Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from monitoring import catalogue, live
from monitoring.expressions import metrics_in
from monitoring.live import Question
from monitoring.prometheus import Prometheus
from tests.support.ports import free_port
from tests.support.prometheus import prometheus_of

THERE, AWAY = Question("Alert", 'queue_depth{state="queued"}'), Question("board/Panel", "no_such_metric")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus_of(lambda: 'queue_depth{state="queued"} 3\n', tmp_path_factory.mktemp("prometheus")) as address:
        yield address


def test_what_has_no_data_is_named_with_its_expression(url: str) -> None:
    said, well = live.report(Prometheus(url), [THERE, AWAY], {})
    assert not well
    assert said == "no data: board/Panel: no_such_metric\n2 expressions, 1 with data, 1 without any reason\n"


def test_what_has_a_reason_to_have_no_data_passes(url: str) -> None:
    said, well = live.report(Prometheus(url), [THERE, AWAY], {"board/Panel": "It is not there."})
    assert well
    assert "no data, as expected: board/Panel: It is not there.\n" in said


def test_the_command_fails_where_there_is_no_data(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["live", "--prometheus", url])
    assert live.main() == 1
    assert "no data: ApiGone: " in capsys.readouterr().out


def test_a_server_that_is_away_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["live", "--prometheus", f"http://127.0.0.1:{free_port()}"])
    assert live.main() == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_every_rule_and_every_panel_asks() -> None:
    askers = {question.asker for question in live.questions()}
    alerts = {rule["alert"] for rule in catalogue.rules() if "alert" in rule} - {catalogue.WATCHDOG}
    series = {live.series(rule) for rule in catalogue.rules() if "record" in rule and metrics_in(rule["expr"])}
    panels = {
        f"{name}/{panel['title']}"
        for name, dashboard in catalogue.dashboards().items()
        for panel in catalogue.panels(dashboard)
    }
    assert askers == alerts | series | panels


def test_rules_of_one_name_are_told_apart_by_their_labels() -> None:
    assert live.series({"record": "used:ratio", "labels": {"volume": "cache"}}) == 'used:ratio{volume="cache"}'
    assert live.series({"record": "used:ratio"}) == "used:ratio"
    every = [live.series(rule) for rule in catalogue.rules() if "record" in rule]
    assert len(every) == len(set(every))


def test_nothing_is_asked_of_parts_that_the_stack_has_not() -> None:
    every, left = (
        " ".join(question.expression for question in live.questions(parts)) for parts in ((), live.OPTIONAL_PARTS)
    )
    for prefix in (prefix for prefixes in live.OPTIONAL_PARTS.values() for prefix in prefixes):
        assert prefix in every
        assert prefix not in left
    assert "task_manager_database_connections" in left


def test_only_queried_expressions_have_a_reason_to_have_no_data() -> None:
    exceptions = yaml.safe_load(live.EXCEPTIONS.read_text())
    assert exceptions.keys() <= {question.asker for question in live.questions()}
    assert all(reason.endswith(".") for reason in exceptions.values())
