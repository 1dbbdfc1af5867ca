"""docs/cost.md and its chart."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from infra.cost import report
from infra.cost.report import PhaseBill
from infra.cost.stack import ROOT
from infra.phases import PHASES
from infra.platform.sizes import Component

PAGE: Final = ROOT / "docs" / "cost.md"
CHART: Final = ROOT / "docs" / "cost.svg"
INTRODUCTION: Final = """\
Written by `make cost-page` from `infra/cost`; `make cost` prints the same, and `make cost STACK=prod` the bill of one
stack. US dollars a month, of a phase that is alone on a cluster of its size (`infra/platform/sizes.py`), with the sizes
of `infra/phases.py`: from the least nodes and servers to the most. Users and budgets are those of the specification."""

COLOURS: Final = {
    Component.NODES: "#2563eb",
    Component.CONTROL_PLANE: "#7c3aed",
    Component.NETWORK: "#0891b2",
    Component.VOLUMES: "#ca8a04",
    Component.BACKUPS: "#65a30d",
    Component.REGISTRY: "#9ca3af",
    Component.TRAFFIC: "#dc2626",
}


def write(page: Path = PAGE, chart: Path = CHART) -> None:
    """Write both files."""
    bills = report.phase_bills()
    page.write_text(text(bills))
    draw(bills, chart)


def text(bills: list[PhaseBill]) -> str:
    """Return the page."""
    parts = [
        "# What it costs",
        INTRODUCTION,
        "![Monthly costs of each phase by component, with the budgets](cost.svg)",
        _table(report.HEADINGS, report.rows(bills)),
        "A user's share is the most cost by the most users, and in phase 4 the least by the least.",
        "## By component",
        _table(("phase", "provider", *Component), report.component_rows(bills)),
        "## What the next phase costs more",
        "At the least of each.",
        _table(("provider", "phases", "a month"), report.steps(bills)),
        "## Assumptions",
        "\n".join(f"- {line}" for line in report.ASSUMPTIONS),
    ]
    return "\n\n".join(parts) + "\n"


def draw(bills: list[PhaseBill], file: Path) -> None:
    """Draw the components of each bill as stacked bars, the least and the most beside each other."""
    # Of the environment of tests and charts; the program itself runs without it.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "cost", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(9, 4.5), layout="constrained")
        axes = figure.subplots(1, len(PHASES))
        for axis, phase in zip(axes, PHASES, strict=True):
            shown = [each for each in bills if each.phase == phase]
            labels, columns = [], []
            for each in shown:
                for bound, name in ((0, "least"), (1, "most")):
                    labels.append(f"{each.bill.provider}\n{name}")
                    columns.append([each.bill.components.get(part, (0.0, 0.0))[bound] for part in Component])
            _stack(axis, labels, columns)
            low, high = PHASES[phase].audience.budget
            axis.set_ylim(top=max(axis.get_ylim()[1], 1.1 * (high or 1.1 * low)))
            axis.axhspan(low, high or axis.get_ylim()[1], color="#16a34a", alpha=0.15, linewidth=0, zorder=0)
            axis.set_title(f"phase {phase}: {report.budget(phase)}", fontsize=9, parse_math=False)
        axes[0].set_ylabel("US dollars a month")
        handles, names = axes[-1].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=8)
        figure.savefig(file, metadata={"Date": None})


def _stack(axis: Any, labels: Sequence[str], columns: Sequence[Sequence[float]]) -> None:
    places, below = range(len(labels)), [0.0] * len(labels)
    for index, part in enumerate(Component):
        heights = [column[index] for column in columns]
        axis.bar(places, heights, bottom=below, label=str(part), color=COLOURS[part], zorder=2)
        below = [one + other for one, other in zip(below, heights, strict=True)]
    axis.set_xticks(places, labels, fontsize=7, rotation=60)


def _table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [headings, ["---"] * len(headings), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
