"""Rate, errors and duration: of all requests, and of each service by route."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.catalogue import ROUTES
from monitoring.dashboards.panels import WINDOW, Panel, Rows, dashboard, graph, number

_COUNT = "flask_http_request_duration_seconds_count"
_BUCKET = "flask_http_request_duration_seconds_bucket"


def _quantile(share: float, selector: str, *labels: str) -> str:
    by = ", ".join(("le", *labels))
    return f"histogram_quantile({share}, sum by ({by}) (rate({_BUCKET}{selector}[{WINDOW}])))"


def _errors(selector: str, by: str) -> str:
    """The share of answers that are errors of ours. Where there are none there is no series: hence `or 0 *`."""
    failed = f'sum{by} (rate({_COUNT}{{status=~"5..", {selector}}}[{WINDOW}]))'
    every = f"sum{by} (rate({_COUNT}{{{selector}}}[{WINDOW}]))"
    return f"({failed} or 0 * {every}) / {every}"


def _service(routes: str) -> list[Panel]:
    chosen = f'url_rule=~"{routes}"'
    return [
        graph(
            "Requests by route",
            "Answers a second.",
            "reqps",
            {
                "{{method}} {{url_rule}}": f"sum by (method, url_rule) (rate({_COUNT}{{{chosen}}}[{WINDOW}]))",
            },
        ),
        graph(
            "Errors by route",
            "Share of answers with a status of 500 or more.",
            "percentunit",
            {"{{url_rule}}": _errors(chosen, " by (url_rule)")},
        ),
        graph(
            "Duration by route",
            "99 of 100 answers take at most so long.",
            "s",
            {"{{url_rule}}": _quantile(0.99, f"{{{chosen}}}", "url_rule")},
        ),
    ]


def overview() -> Dashboard:
    """The dashboard that one opens first."""
    everything = 'url_rule!=""'
    rows: Rows = {
        "Now": [
            number("Requests", "Answers a second.", "reqps", f"sum(rate({_COUNT}[{WINDOW}]))"),
            number("Errors", "Share of answers with a status of 500 or more.", "percentunit", _errors(everything, "")),
            number("Median", "Half of the answers take at most so long.", "s", _quantile(0.5, "")),
            number("99 %", "99 of 100 answers take at most so long.", "s", _quantile(0.99, "")),
            number(
                "Instances",
                "Pods of the API that answer Prometheus.",
                "short",
                'sum(up{job="api"})',
                alerts=["ApiGone"],
            ),
        ],
        "All requests": [
            graph(
                "Answers by status",
                "Answers a second.",
                "reqps",
                {"{{status}}": f"sum by (status) (rate(flask_http_request_total[{WINDOW}]))"},
            ),
            graph(
                "Duration",
                "So many of 100 answers take at most so long.",
                "s",
                {f"{share:.0%}": _quantile(share, "") for share in (0.5, 0.95, 0.99)},
            ),
            graph(
                "Requests by instance",
                "Answers a second: the gateway gives each instance its part.",
                "reqps",
                {"{{pod}}": f"sum by (pod) (rate(flask_http_request_total[{WINDOW}]))"},
            ),
        ],
        "Process": [
            graph(
                "CPU by instance",
                "Processors in use. Python uses one at most.",
                "short",
                {"{{pod}}": f'rate(process_cpu_seconds_total{{job="api"}}[{WINDOW}])'},
            ),
            graph(
                "Memory by instance",
                "Resident, of 384 MiB that a pod may have.",
                "bytes",
                {"{{pod}}": 'process_resident_memory_bytes{job="api"}'},
            ),
            graph(
                "What runs",
                "Instances by version: two lines while a release rolls out.",
                "short",
                {"{{version}}": "count by (version) (task_manager_build_info)"},
            ),
        ],
        **{f"Service: {service}": _service(routes) for service, routes in ROUTES.items()},
    }
    return dashboard("overview", "overview", "Rate, errors and duration of requests, by service and route.", rows)
