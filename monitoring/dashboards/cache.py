"""Kept answers, as the API sees them."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.dashboards.panels import WINDOW, Rows, dashboard, graph, number


def cache() -> Dashboard:
    """Hit rate, and looks that the cache does not answer."""
    looks = f"rate(task_manager_cache_lookups_total[{WINDOW}])"
    rows: Rows = {
        "As the API sees it": [
            number(
                "Hit rate",
                "Share of looks within half an hour that find a kept answer.",
                "percentunit",
                "task_manager:cache_hits:ratio_rate30m",
                alerts=["CacheHitRateLow"],
            ),
            graph(
                "Looks by result",
                "A second: found, not found, not answered.",
                "ops",
                {"{{result}}": f"sum by (result) ({looks})"},
                alerts=["CacheAway", "CacheHitRateLow"],
            ),
            graph(
                "Looks that fail",
                "Share of looks that the cache does not answer.",
                "percentunit",
                {
                    "failed": f'sum(rate(task_manager_cache_lookups_total{{result="error"}}[{WINDOW}])) / sum({looks})',
                },
                alerts=["CacheAway"],
            ),
        ],
    }
    return dashboard("cache", "cache", "The cache.", rows)
