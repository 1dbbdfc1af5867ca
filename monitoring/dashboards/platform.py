"""What the system stands on, as Prometheus itself sees it."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.dashboards.panels import Rows, dashboard, graph


def platform() -> Dashboard:
    """The targets of Prometheus."""
    rows: Rows = {
        "Targets": [
            graph(
                "Targets that answer",
                "Of each job.",
                "short",
                {"{{job}}": "sum by (job) (up)"},
                alerts=["ApiGone", "TargetDown"],
            ),
            graph(
                "Series of a target",
                "Samples at the last look: the API's are bounded by its routes.",
                "short",
                {"{{job}} {{pod}}": "scrape_samples_scraped"},
            ),
            graph(
                "How long a look takes",
                "Of at most 9 s.",
                "s",
                {"{{job}}": "max by (job) (scrape_duration_seconds)"},
                alerts=["TargetDown"],
            ),
        ],
    }
    return dashboard("platform", "platform", "The targets of Prometheus.", rows)
