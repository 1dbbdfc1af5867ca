"""Dashboards: the committed files are current, panels have descriptions and units, and their metrics exist."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from monitoring import catalogue
from monitoring.catalogue import GENERATED
from monitoring.dashboards.generate import files
from monitoring.expressions import metrics_in

DASHBOARDS: dict[str, dict[str, Any]] = {name: json.loads(content) for name, content in files().items()}
PANELS = [
    pytest.param(panel, id=f"{name}-{panel['title']}")
    for name, dashboard in DASHBOARDS.items()
    for panel in catalogue.panels(dashboard)
]

every_panel = pytest.mark.parametrize("panel", PANELS)


def test_the_committed_dashboards_are_current() -> None:
    assert {path.name: path.read_text() for path in GENERATED.glob("*.json")} == files()


@every_panel
def test_a_panel_says_what_it_shows_and_in_which_unit(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    assert all(target["legendFormat"] for target in panel["targets"])


@every_panel
def test_a_panel_queries_no_metric_that_does_not_exist(panel: dict[str, Any]) -> None:
    asked = {name for target in panel["targets"] for name in metrics_in(target["expr"])}
    assert asked
    assert asked - catalogue.known_metrics() == set()


def _runbooks() -> Iterator[str]:
    for param in PANELS:
        [panel] = param.values
        assert isinstance(panel, dict)
        yield from (link["url"] for link in panel["links"])


def test_every_alert_has_a_panel_that_leads_to_its_runbook_and_no_link_leads_elsewhere() -> None:
    assert set(_runbooks()) == {catalogue.runbook(alert) for alert in catalogue.alerts()}


def test_dashboards_and_panels_have_distinct_names_and_ids() -> None:
    assert len({dashboard["uid"] for dashboard in DASHBOARDS.values()}) == len(DASHBOARDS)
    for dashboard in DASHBOARDS.values():
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(ids)) == len(ids)


def test_panels_lie_beside_and_below_each_other() -> None:
    for name, dashboard in DASHBOARDS.items():
        taken: dict[tuple[int, int], str] = {}
        for panel in dashboard["panels"]:
            place = panel["gridPos"]
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    assert x < 24, f"{name}: {panel['title']} is wider than the page"
                    other = taken.setdefault((x, y), panel["title"])
                    assert other == panel["title"], f"{name}: {panel['title']} lies on {other}"
