"""Pictures of dashboards: the panels in their places, with the data of a live Prometheus."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from monitoring import catalogue, draw
from monitoring.dashboards.generate import as_json
from monitoring.dashboards.panels import Rows, dashboard, graph, number
from monitoring.draw import Span
from monitoring.prometheus import Prometheus
from tests.support.prometheus import prometheus_of

METRICS = 'depth{state="queued"} 3000\ndepth{state="running"} 5\nshare 0.125\n'


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus_of(lambda: METRICS, tmp_path_factory.mktemp("prometheus")) as address:
        yield address


def drawn(url: str) -> dict[str, Axes]:
    """The panels of a dashboard, by title."""
    rows: Rows = {
        "Row": [
            graph("Depth", "Jobs.", "short", {"jobs {{state}}": "depth"}),
            graph("Away", "Nothing.", "short", {"none": "no_such_metric"}),
            number("Share", "Now.", "percentunit", "share"),
            number("Idle", "Of no requests.", "percentunit", "share * 0 / 0"),
        ]
    }
    described = json.loads(as_json(dashboard("test", "test", "For a test.", rows)))
    now = time.time()
    figure = draw.figure(described, Prometheus(url), Span(now - 60, now))
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_a_panel_shows_each_series_under_its_name(url: str) -> None:
    axes = drawn(url)["Depth"]
    found = {str(line.get_label()): float(np.asarray(line.get_ydata())[-1]) for line in axes.lines}
    assert found == {"jobs queued": 3000, "jobs running": 5}


def test_a_panel_without_data_says_so(url: str) -> None:
    assert texts(drawn(url)["Away"]) == ["no data"]


def test_a_number_is_written_in_its_unit(url: str) -> None:
    assert texts(drawn(url)["Share"]) == ["12.5 %"]


def test_a_share_of_no_requests_is_idle_in_pictures_as_in_grafana(url: str) -> None:
    assert texts(drawn(url)["Idle"]) == ["idle"]
    panels = [panel for each in catalogue.dashboards().values() for panel in catalogue.panels(each)]
    mappings = [panel["fieldConfig"]["defaults"]["mappings"] for panel in panels if panel["type"] == "stat"]
    assert mappings
    assert all(
        mapping == [{"type": "special", "options": {"match": "null+nan", "result": {"text": "idle"}}}]
        for mapping in mappings
    )


@pytest.mark.parametrize(
    ("unit", "value", "written"),
    [
        ("s", 0.0123, "12.3 ms"),
        ("s", 90, "1.5 min"),
        ("s", 0, "0 s"),
        ("bytes", 3 * 1024**2, "3 MiB"),
        ("reqps", 1500, "1.5 k/s"),
        ("short", 7, "7"),
    ],
)
def test_numbers_are_written_for_people(unit: str, value: float, written: str) -> None:
    assert draw.UNITS[unit](value) == written


def test_every_unit_of_the_dashboards_can_be_written() -> None:
    every = [panel for dashboard in catalogue.dashboards().values() for panel in catalogue.panels(dashboard)]
    assert {panel["fieldConfig"]["defaults"]["unit"] for panel in every} <= draw.UNITS.keys()


def test_the_command_writes_a_picture_of_each_dashboard(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["draw", "--prometheus", url, "--out", str(tmp_path), "--minutes", "1"])
    assert draw.main() == 0
    assert {path.stem for path in tmp_path.glob("*.png")} == catalogue.dashboards().keys()
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.glob("*.png"))
