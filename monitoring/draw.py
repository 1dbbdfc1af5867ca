"""Draw the dashboards from a live Prometheus: `python -m monitoring.draw --prometheus URL --out docs/dashboards`.

For places that have no Grafana, such as a README: the same panels in the same places, with the same data.
"""

import argparse
import math
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import requests
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from monitoring import catalogue
from monitoring.prometheus import Prometheus

_DAY: Final = 86400  # seconds; matplotlib counts time in days since 1970
_COLUMNS: Final = 24  # of Grafana's grid
_INCHES: Final = (0.75, 0.42)  # of a cell of the grid
_POINTS: Final = 240  # of a line
_IN_LEGEND: Final = 8  # lines; with more of them the names would hide the panel
_PREFIXES: Final = ("", "k", "M", "G", "T")


class Span(NamedTuple):
    """From when to when, Unix times in seconds."""

    start: float
    end: float


def _scaled(number: float, base: int, prefixes: tuple[str, ...]) -> str:
    place = 0
    while abs(number) >= base and place < len(prefixes) - 1:
        number /= base
        place += 1
    return f"{number:.3g} {prefixes[place]}".rstrip()


def _seconds(number: float) -> str:
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if abs(number) >= size:
            return f"{number / size:.3g} {name}"
    return f"{number:.3g} s" if number == 0 or abs(number) >= 1 else f"{number * 1000:.3g} ms"


UNITS: Final[dict[str, Callable[[float], str]]] = {
    "short": lambda number: _scaled(number, 1000, _PREFIXES),
    "reqps": lambda number: f"{_scaled(number, 1000, _PREFIXES)}/s",
    "ops": lambda number: f"{_scaled(number, 1000, _PREFIXES)}/s",
    "bytes": lambda number: _scaled(number, 1024, ("B", "KiB", "MiB", "GiB", "TiB")),
    "percentunit": lambda number: f"{100 * number:.3g} %",
    "s": _seconds,
}
"""Grafana's name of a unit → how a number of it is written."""


def legend(template: str, labels: dict[str, str]) -> str:
    """Return a series' name: `{{label}}` stands for the label's value."""
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found.group(1), ""), template).strip()


def figure(dashboard: dict[str, Any], prometheus: Prometheus, span: Span) -> Figure:
    """Draw one dashboard. Raises what `Prometheus.over` does.

    Args:
        dashboard: as Grafana reads it.
    """
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    drawn = Figure(figsize=(_COLUMNS * _INCHES[0], height * _INCHES[1]), dpi=100, layout="constrained")
    begin, end = (datetime.fromtimestamp(moment, UTC) for moment in span)
    drawn.suptitle(f"{dashboard['title']}, {begin:%Y-%m-%d %H:%M} to {end:%H:%M} UTC", weight="bold")
    grid = drawn.add_gridspec(height, _COLUMNS)
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        rows, columns = (slice(place[at], place[at] + place[size]) for at, size in (("y", "h"), ("x", "w")))
        axes = drawn.add_subplot(grid[rows, columns])
        if panel["type"] == "row":
            axes.set_axis_off()
            axes.text(0, 0.5, panel["title"], weight="bold", va="center")
            continue
        axes.set_title(panel["title"], fontsize="medium", loc="left")
        draw = {"timeseries": _lines, "stat": _number}[panel["type"]]
        if not draw(axes, panel, prometheus, span):
            axes.text(0.5, 0.5, "no data", ha="center", va="center", color="gray", transform=axes.transAxes)
    return drawn


def _lines(axes: Axes, panel: dict[str, Any], prometheus: Prometheus, span: Span) -> bool:
    """Draw a panel of lines; say whether there are any."""
    write = UNITS[panel["fieldConfig"]["defaults"]["unit"]]
    step = max((span.end - span.start) / _POINTS, 1)
    for template, expression in catalogue.expressions(panel):
        for series in prometheus.over(expression, span.start, span.end, step):
            times = [moment / _DAY for moment, _ in series["values"]]
            numbers = [float(number) for _, number in series["values"]]
            axes.plot(times, numbers, linewidth=1, label=legend(template, series["metric"]))
    axes.set_xlim(span.start / _DAY, span.end / _DAY)
    axes.xaxis_date()
    axes.set_ylim(bottom=0)
    formatter = ConciseDateFormatter(axes.xaxis.get_major_locator(), show_offset=False)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: write(number)))
    axes.tick_params(labelsize="x-small")
    axes.grid(alpha=0.3)
    if 0 < len(axes.lines) <= _IN_LEGEND:
        axes.legend(fontsize="x-small", loc="upper left")
    return bool(axes.lines)


def _number(axes: Axes, panel: dict[str, Any], prometheus: Prometheus, span: Span) -> bool:
    """Write a panel's numbers, those of the end, below each other; say whether there are any."""
    axes.set_axis_off()
    [(template, expression)] = catalogue.expressions(panel)
    defaults = panel["fieldConfig"]["defaults"]
    write, [idle] = UNITS[defaults["unit"]], defaults["mappings"]
    without_value = idle["options"]["result"]["text"]
    found = prometheus.over(expression, span.end, span.end, 1)
    written = []
    for series in found:
        value = float(series["values"][-1][1])
        number = without_value if math.isnan(value) else write(value)
        written.append(number if len(found) == 1 else f"{legend(template, series['metric'])}: {number}")
    if found:
        size = "xx-large" if len(found) == 1 else "medium"
        axes.text(
            0.5, 0.4, "\n".join(sorted(written)), ha="center", va="center", fontsize=size, transform=axes.transAxes
        )
    return bool(found)


def main() -> int:
    """Write a picture of each dashboard."""
    parser = argparse.ArgumentParser(description="Draw the dashboards from a live Prometheus.")
    parser.add_argument("--prometheus", required=True, metavar="URL", help="such as http://127.0.0.1:9090")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where the pictures go")
    parser.add_argument("--minutes", type=float, default=60, help="how far back they look")
    options = parser.parse_args()
    now = time.time()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, dashboard in catalogue.dashboards().items():
        try:
            drawn = figure(dashboard, Prometheus(options.prometheus), Span(now - 60 * options.minutes, now))
        except (requests.RequestException, ValueError) as error:
            sys.stderr.write(f"error: {error}\n")
            return 2
        drawn.savefig(options.out / f"{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
