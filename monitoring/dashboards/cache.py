"""Kept answers, and the servers that keep them."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.dashboards.panels import WINDOW, Rows, dashboard, graph, number


def cache() -> Dashboard:
    """Hit rate as the API sees it, commands and memory as the servers tell."""
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
        "Servers": [
            graph(
                "Commands",
                "A second.",
                "ops",
                {"{{pod}}": f"sum by (pod) (rate(redis_commands_processed_total[{WINDOW}]))"},
            ),
            graph(
                "Memory",
                "Share in use of what a server may use for data.",
                "percentunit",
                {"{{pod}}": "redis_memory_used_bytes / redis_memory_max_bytes"},
                alerts=["BrokerFills"],
            ),
            graph(
                "Keys that had to go",
                "A second, because the memory is full. The broker's may never.",
                "ops",
                {"{{pod}}": f"sum by (pod) (rate(redis_evicted_keys_total[{WINDOW}]))"},
            ),
        ],
        "Connections and followers": [
            graph("Clients", "Connections of clients.", "short", {"{{pod}}": "redis_connected_clients"}),
            graph(
                "Followers",
                "Of each server: one of every shard's two has one.",
                "short",
                {"{{pod}}": "redis_connected_slaves"},
            ),
            graph(
                "Answers",
                "Whether a server answers its exporter.",
                "short",
                {"{{pod}}": "redis_up"},
                alerts=["ValkeyAway"],
            ),
        ],
    }
    return dashboard("cache", "cache", "The cache and the broker.", rows)
