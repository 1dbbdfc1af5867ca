"""Service level objectives: remaining error budgets and burn rates."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.dashboards.panels import Panel, Rows, dashboard, graph, number

_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
"""Those of the recording rules in `rules/slo.yaml`."""


def _objective(record: str, budget: float, kind: str, alerts: list[str]) -> list[Panel]:
    """What one objective shows.

    Args:
        record: of its recording rules, without the window.
        budget: share of requests that may miss it.
        kind: what such a request is.
    """
    return [
        number(
            "Kept within a day",
            f"Share of requests within a day that are not {kind}; the objective is {1 - budget:.1%}.",
            "percentunit",
            f"1 - {record}:ratio_rate1d",
        ),
        number(
            "Budget left",
            f"Of the {budget:.1%} of requests that may be {kind}, in as many of 30 days as Prometheus keeps.",
            "percentunit",
            f"1 - {record}:ratio_rate30d / {budget}",
            alerts=alerts,
        ),
        graph(
            "How fast the budget burns",
            "1 uses it up in 30 days, 14.4 in two. Alerts compare a long window and a short one.",
            "short",
            {window: f"{record}:ratio_rate{window} / {budget}" for window in _WINDOWS},
            alerts=alerts,
        ),
    ]


def slo() -> Dashboard:
    """Objectives over 30 days, as `rules/slo.yaml` has them."""
    rows: Rows = {
        "Answered: 99.9 % of requests without an error of ours": _objective(
            "task_manager:request_errors",
            0.001,
            "answered with an error",
            ["ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly"],
        ),
        "Fast: 99 % of requests within 0.25 s": _objective(
            "task_manager:slow_requests",
            0.01,
            "slower than 0.25 s",
            ["LatencyBudgetBurnsFast", "LatencyBudgetBurnsSlowly"],
        ),
    }
    return dashboard("slo", "objectives", "Service level objectives and their error budgets.", rows)
