"""The style of all dashboards and panels."""

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, DatasourceVariable, QueryVariable, Row
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DashboardSpecialValueMapOptions,
    DataSourceRef,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMappingResult,
    VariableHide,
    VariableRefresh,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLink as DashboardLinkModel,
)

from monitoring.catalogue import EVERY_SERVICE, SERVICE, runbook

Panel = timeseries.Panel | stat.Panel
Rows = Mapping[str, Sequence[Panel]]
"""Title → panels, in their order."""

TAG: Final = "task-manager"
WINDOW: Final = "2m"
"""Of rates: short enough to see a step of the load, and a dozen looks of Prometheus long."""

# By name and not by address: whose Grafana it is decides which Prometheus it asks.
_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
# A share or a quantile of no requests is no number.
_IDLE: Final = SpecialValueMap(
    DashboardSpecialValueMapOptions(match=SpecialValueMatch.NULL_AND_NAN, result=ValueMappingResult(text="idle"))
)
_WIDTH: Final = 24  # columns of Grafana's grid
_LETTERS: Final = "ABCDEFGH"


def dashboard(name: str, title: str, description: str, rows: Rows, *, by_service: bool = False) -> Dashboard:
    """Make a dashboard.

    Args:
        name: the end of its `uid`, and its file's name.
        rows: what it shows; the panels of a row share its width.
        by_service: whether its expressions have the variable SERVICE.
    """
    made = (
        Dashboard(f"Task manager: {title}")
        .uid(f"{TAG}-{name}")
        .description(description)
        .tags([TAG])
        .time("now-1h", "now")
        .refresh("30s")
        .timezone("utc")
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(DatasourceVariable("datasource").type("prometheus").hide(VariableHide.HIDE_VARIABLE))
        .link(
            DashboardLink("The others").type(DashboardLinkType.DASHBOARDS).tags([TAG]).as_dropdown(True).keep_time(True)
        )
    )
    if by_service:
        made.with_variable(
            QueryVariable(SERVICE.removeprefix("$"))
            .label("Service")
            .query('label_values(up{job="api"}, service)')
            .datasource(_SOURCE)
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(True)
            .include_all(True)
            .all_value(EVERY_SERVICE)
        )
    number = 0
    for heading, panels in rows.items():
        number += 1
        made.with_row(Row(heading).id(number))
        for panel in panels:
            number += 1
            made.with_panel(panel.id(number).span(_WIDTH // len(panels)))
    return made


def graph(
    title: str, description: str, unit: str, queries: Mapping[str, str], *, alerts: Sequence[str] = ()
) -> timeseries.Panel:
    """Make a panel of lines over time.

    Args:
        unit: Grafana's name for it, such as `s`, `reqps`, `percentunit`, `short`.
        queries: legend, in which `{{label}}` stands for a label's value, → PromQL.
        alerts: alerts about what it shows: the panel leads to their runbooks.
    """
    panel = (
        timeseries.Panel()
        .height(8)
        .title(title)
        .description(description)
        .datasource(_SOURCE)
        .unit(unit)
        .min(0)
        .line_width(1)
        .fill_opacity(8)
        .show_points(VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .links(_links(alerts))
    )
    for letter, (legend, expression) in zip(_LETTERS, queries.items(), strict=False):
        panel.with_target(_query(letter, legend, expression).range())
    return panel


def number(
    title: str, description: str, unit: str, expression: str, *, legend: str = "", alerts: Sequence[str] = ()
) -> stat.Panel:
    """Make a panel of one number, that of now, or one of each series. Arguments as for `graph`.

    Args:
        legend: names of the series; empty for one that has the title's.
    """
    return (
        stat.Panel()
        .height(4)
        .title(title)
        .description(description)
        .datasource(_SOURCE)
        .unit(unit)
        .mappings([_IDLE])
        .color_mode(BigValueColorMode.NONE)
        .links(_links(alerts))
        .with_target(_query(_LETTERS[0], legend or title, expression).instant())
    )


def _query(letter: str, legend: str, expression: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(letter).expr(expression).legend_format(legend).datasource(_SOURCE)


def _links(alerts: Sequence[str]) -> list[Builder[DashboardLinkModel]]:
    return [
        DashboardLink(f"Runbook: {alert}").type(DashboardLinkType.LINK).url(runbook(alert)).target_blank(True)
        for alert in alerts
    ]
