"""All services at a glance: rate, errors, duration, saturation and availability of each; and by route."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.catalogue import ROUTES
from monitoring.dashboards.panels import WINDOW, Panel, Rows, dashboard, graph, number
from monitoring.dashboards.red import errors, quantile, rate

_BY = "{{service}}"

_GLANCE = {
    "Requests": ("Answers a second.", "reqps", rate("service"), []),
    "Errors": ("Share of answers with a status of 500 or more.", "percentunit", errors("service"), []),
    "95 %": ("95 of 100 answers take at most so long.", "s", quantile(0.95, "service"), []),
    "Saturation": (
        "Share of a processor that the busiest instance uses: Python uses one at most.",
        "percentunit",
        f'max by (service) (rate(process_cpu_seconds_total{{job="api"}}[{WINDOW}]))',
        [],
    ),
    "Availability": (
        "Share of the requests of a day without an error of ours.",
        "percentunit",
        "1 - task_manager:request_errors:ratio_rate1d",
        ["ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly"],
    ),
    "Instances": (
        "Servers that answer Prometheus.",
        "short",
        'sum by (service) (up{job="api"})',
        ["ApiGone"],
    ),
}
"""What is seen of each service: title → description, unit, expression, alerts."""


def _routes(routes: str) -> list[Panel]:
    chosen = f'url_rule=~"{routes}"'
    return [
        graph(
            "Requests by route",
            "Answers a second.",
            "reqps",
            {"{{method}} {{url_rule}}": rate("method, url_rule", chosen)},
        ),
        graph(
            "Errors by route",
            "Share of answers with a status of 500 or more.",
            "percentunit",
            {"{{url_rule}}": errors("url_rule", chosen)},
        ),
        graph(
            "Duration by route",
            "99 of 100 answers take at most so long.",
            "s",
            {"{{url_rule}}": quantile(0.99, "url_rule", chosen)},
        ),
    ]


def overview() -> Dashboard:
    """The dashboard that one opens first."""
    graphs = {
        title: graph(title, description, unit, {_BY: expression})
        for title, (description, unit, expression, _) in _GLANCE.items()
    }
    rows: Rows = {
        "The services now": [
            number(title, description, unit, expression, legend=_BY, alerts=alerts)
            for title, (description, unit, expression, alerts) in _GLANCE.items()
        ],
        "Requests, errors, duration": [graphs[title] for title in ("Requests", "Errors", "95 %")],
        "Saturation, availability": [graphs[title] for title in ("Saturation", "Availability", "Instances")],
        **{f"Routes: {service}": _routes(routes) for service, routes in ROUTES.items()},
    }
    return dashboard("overview", "overview", "Rate, errors and duration of requests, by service and route.", rows)
