"""The response cache, and the servers of cache and broker."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.dashboards.panels import WINDOW, Rows, dashboard, graph, number


def cache() -> Dashboard:
    """Hit rate as the API sees it; commands and memory of the servers."""
    lookups = f"rate(task_manager_cache_lookups_total[{WINDOW}])"
    errors = f'rate(task_manager_cache_lookups_total{{result="error"}}[{WINDOW}])'
    rows: Rows = {
        "As the API sees it": [
            number(
                "Hit rate",
                "Share of lookups within half an hour that are hits.",
                "percentunit",
                "task_manager:cache_hits:ratio_rate30m",
                legend="{{service}}",
                alerts=["CacheHitRateLow"],
            ),
            graph(
                "Lookups by result",
                "A second: hits, misses, errors.",
                "ops",
                {"{{service}} {{result}}": f"sum by (service, result) ({lookups})"},
                alerts=["CacheAway", "CacheHitRateLow"],
            ),
            graph(
                "Failed lookups",
                "Share of lookups that the cache does not answer.",
                "percentunit",
                {"{{service}}": f"sum by (service) ({errors}) / sum by (service) ({lookups})"},
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
                "Evicted keys",
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
