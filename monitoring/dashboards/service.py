"""One service, or several: its requests, its processes, its work in the background, and what it waits for."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.catalogue import SERVICE
from monitoring.dashboards.panels import WINDOW, Rows, dashboard, graph
from monitoring.dashboards.red import errors, quantile, rate

_CHOSEN = f'service=~"{SERVICE}"'


def service() -> Dashboard:
    """Made once, and shown for each service by the variable; `all` where one release has all of them."""
    rows: Rows = {
        "Requests": [
            graph(
                "Answers by status",
                "Answers a second.",
                "reqps",
                {"{{service}} {{status}}": rate("service, status", _CHOSEN)},
            ),
            graph(
                "Duration",
                "So many of 100 answers take at most so long.",
                "s",
                {f"{{{{service}}}} {share:.0%}": quantile(share, "service", _CHOSEN) for share in (0.5, 0.95, 0.99)},
            ),
            graph(
                "Requests by instance",
                "Answers a second: the gateway gives each instance its part.",
                "reqps",
                {"{{pod}}": rate("pod", _CHOSEN)},
            ),
        ],
        "Routes": [
            graph(
                "Requests by route",
                "Answers a second.",
                "reqps",
                {"{{method}} {{url_rule}}": rate("method, url_rule", _CHOSEN)},
            ),
            graph(
                "Errors by route",
                "Share of answers with a status of 500 or more.",
                "percentunit",
                {"{{url_rule}}": errors("url_rule", _CHOSEN)},
            ),
            graph(
                "Duration by route",
                "99 of 100 answers take at most so long.",
                "s",
                {"{{url_rule}}": quantile(0.99, "url_rule", _CHOSEN)},
            ),
        ],
        "Processes": [
            graph(
                "CPU by instance",
                "Processors in use. Python uses one at most.",
                "short",
                {"{{pod}}": f'rate(process_cpu_seconds_total{{job="api",{_CHOSEN}}}[{WINDOW}])'},
            ),
            graph(
                "Memory by instance",
                "Resident.",
                "bytes",
                {"{{pod}}": f'process_resident_memory_bytes{{job="api",{_CHOSEN}}}'},
            ),
            graph(
                "What runs",
                "Instances by version: two lines while a release rolls out.",
                "short",
                {"{{service}} {{version}}": f"count by (service, version) (task_manager_build_info{{{_CHOSEN}}})"},
            ),
        ],
        "What it waits for": [
            graph(
                "Connections in use",
                "Of each instance, by server of the database.",
                "short",
                {"{{pod}} {{server}}": f'task_manager_database_connections{{state="in_use",{_CHOSEN}}}'},
                alerts=["ConnectionPoolFull"],
            ),
            graph(
                "Lookups in the cache",
                "A second: hits, misses, errors.",
                "ops",
                {
                    "{{service}} {{result}}": "sum by (service, result)"
                    f" (rate(task_manager_cache_lookups_total{{{_CHOSEN}}}[{WINDOW}]))"
                },
                alerts=["CacheAway"],
            ),
            graph(
                "Events and jobs that wait",
                "In outbox and queue.",
                "short",
                {
                    "{{service}} events": f"max by (service) (task_manager_events_waiting{{{_CHOSEN}}})",
                    "{{service}} jobs": f'max by (service) (task_manager_jobs{{state="queued",{_CHOSEN}}})',
                },
                alerts=["EventsLate", "JobsPileUp"],
            ),
        ],
    }
    return dashboard(
        "service", "service", "One service: requests, processes, and what it waits for.", rows, by_service=True
    )
