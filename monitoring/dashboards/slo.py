"""Service level objectives: remaining error budgets and burn rates, by service."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.catalogue import SERVICE
from monitoring.dashboards.panels import Panel, Rows, dashboard, graph, number

_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
"""Those of the recording rules in `rules/slo.yaml`."""

_CHOSEN = f'{{service=~"{SERVICE}"}}'
_BY = "{{service}}"


def _objective(record: str, kind: str, alerts: list[str]) -> list[Panel]:
    """What one objective shows.

    Args:
        record: of its recording rules, without the window.
        kind: what a request is that misses it.
    """
    budget = f"on (service) {record}:budget"
    return [
        number(
            "Objective",
            f"Share of requests that shall not be {kind}.",
            "percentunit",
            f"1 - {record}:budget{_CHOSEN} and on (service) {record}:ratio_rate30d",
            legend=_BY,
        ),
        number(
            "Kept within a day",
            f"Share of requests within a day that are not {kind}.",
            "percentunit",
            f"1 - {record}:ratio_rate1d{_CHOSEN}",
            legend=_BY,
        ),
        number(
            "Budget left",
            f"Of the requests that may be {kind}, in as many of 30 days as Prometheus keeps.",
            "percentunit",
            f"1 - {record}:ratio_rate30d{_CHOSEN} / {budget}",
            legend=_BY,
            alerts=alerts,
        ),
        graph(
            "How fast the budget burns",
            "1 uses it up in 30 days, 14.4 in two. Alerts compare a long window and a short one.",
            "short",
            {f"{_BY} {window}": f"{record}:ratio_rate{window}{_CHOSEN} / {budget}" for window in _WINDOWS},
            alerts=alerts,
        ),
    ]


def slo() -> Dashboard:
    """Objectives over 30 days, as `rules/objectives.yaml` has them."""
    rows: Rows = {
        "Answered without an error of ours": _objective(
            "task_manager:request_errors",
            "answered with an error",
            ["ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly"],
        ),
        "Answered within 0.25 s": _objective(
            "task_manager:slow_requests",
            "slower than 0.25 s",
            ["LatencyBudgetBurnsFast", "LatencyBudgetBurnsSlowly"],
        ),
    }
    return dashboard("slo", "objectives", "Service level objectives and their error budgets.", rows, by_service=True)
