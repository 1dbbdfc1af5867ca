"""The platform: autoscaler, gateway, edge, and Prometheus' own targets."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.dashboards.panels import WINDOW, Rows, dashboard, graph


def platform() -> Dashboard:
    """The API's autoscaler, the gateway by Traefik's or Envoy's metrics, the edge by Varnish's, and the targets."""
    failed, every = "task_manager:gateway_errors:rate5m", "task_manager:gateway_requests:rate5m"
    envoy = 'envoy_http_downstream_rq{job="gateway"}'
    hits, misses, passes, failures = (
        f"sum(rate(varnish_main_{counter}[{WINDOW}]))"
        for counter in ("cache_hit", "cache_miss", "s_pass", 'fetch{type="failed"}')
    )
    rows: Rows = {
        "Autoscaler": [
            graph(
                "Instances of the API",
                "That answer Prometheus, and the autoscaler's bounds.",
                "short",
                {
                    "{{service}}": 'count by (service) (up{job="api"} == 1)',
                    "{{service}} least": "task_manager:api_replicas:min",
                    "{{service}} most": "task_manager:api_replicas:max",
                },
                alerts=["AutoscalerAtMaximum"],
            ),
            graph(
                "Requests by instance",
                "A second: what the autoscaler compares with its target.",
                "reqps",
                {"{{pod}}": "sum by (pod) (rate(flask_http_request_total[1m]))"},
            ),
            graph(
                "CPU by instance",
                "Processors in use, the autoscaler's other measure.",
                "short",
                {"{{pod}}": f'rate(process_cpu_seconds_total{{job="api"}}[{WINDOW}])'},
            ),
        ],
        "Keys of access tokens": [
            graph(
                "Fetches of keys",
                "By services without auth, from auth, a second.",
                "ops",
                {"{{outcome}}": f"sum by (outcome) (rate(task_manager_key_set_fetch_seconds_count[{WINDOW}]))"},
                alerts=["TokenKeysNotFetched"],
            ),
            graph(
                "Duration of a fetch",
                "99 of 100 take at most so long.",
                "s",
                {
                    "99 %": "histogram_quantile(0.99, sum by (le)"
                    f" (rate(task_manager_key_set_fetch_seconds_bucket[{WINDOW}])))"
                },
            ),
        ],
        "Gateway": [
            graph(
                "Requests by port",
                "Answers a second.",
                "reqps",
                {
                    "{{entrypoint}}": f"sum by (entrypoint) (rate(traefik_entrypoint_requests_total[{WINDOW}]))",
                    "{{http_conn_manager_prefix}}": f"sum by (http_conn_manager_prefix) (rate({envoy}[{WINDOW}]))",
                },
            ),
            graph(
                "Errors",
                "Share of answers with a status of 500 or more, those that no instance gave among them.",
                "percentunit",
                {"errors": f"({failed} or 0 * {every}) / {every}"},
                alerts=["GatewayErrors"],
            ),
            graph(
                "Duration",
                "99 of 100 answers take at most so long, as the gateway sees it.",
                "s",
                {
                    "Traefik": "histogram_quantile(0.99, sum by (le)"
                    f" (rate(traefik_entrypoint_request_duration_seconds_bucket[{WINDOW}])))",
                    "Istio": "histogram_quantile(0.99, sum by (le)"
                    f' (rate(envoy_http_downstream_rq_time_bucket{{job="gateway"}}[{WINDOW}]))) / 1000',
                },
            ),
            graph(
                "Certificates",
                "Until the first one of Traefik's ends.",
                "s",
                {"{{cn}}": "min by (cn) (traefik_tls_certs_not_after) - time()"},
                alerts=["CertificateExpires"],
            ),
        ],
        "Edge": [
            graph(
                "Hit rate",
                "Share of requests for cacheable paths that are hits.",
                "percentunit",
                {"hits": f"{hits} / ({hits} + {misses})"},
                alerts=["EdgeHitRateLow"],
            ),
            graph(
                "Requests by result",
                "A second: found, fetched, and let past because they are somebody's own.",
                "reqps",
                {"hit": hits, "miss": misses, "pass": passes},
                alerts=["EdgeHitRateLow"],
            ),
            graph(
                "Fetches that fail",
                "Share of attempts that get no answer from the API. Each is made again, twice at most.",
                "percentunit",
                {"failed": f"{failures} / sum(rate(varnish_main_fetch[{WINDOW}]))"},
                alerts=["EdgeFetchesFail"],
            ),
            graph(
                "Answers",
                "Whether the exporter of a pod finds its Varnish.",
                "short",
                {"{{pod}}": "varnish_up"},
                alerts=["EdgeAway"],
            ),
        ],
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
                "Samples of the last scrape: the API's are bounded by its routes.",
                "short",
                {"{{job}} {{pod}}": "scrape_samples_scraped"},
            ),
            graph(
                "Duration of a scrape",
                "Of at most 9 s.",
                "s",
                {"{{job}}": "max by (job) (scrape_duration_seconds)"},
                alerts=["TargetDown"],
            ),
        ],
    }
    rows = {**rows, **_monitoring()}
    return dashboard(
        "platform", "platform", "The autoscaler, the gateway, the edge, and the targets of Prometheus.", rows
    )


def _monitoring() -> Rows:
    """Prometheus and Alertmanager themselves, and the volumes beside the database's."""
    sent, errors, dropped = (
        f"sum(rate(prometheus_notifications_{counter}_total[{WINDOW}]))" for counter in ("sent", "errors", "dropped")
    )
    every, failed = (
        f"sum by (integration) (rate(alertmanager_notifications_{counter}[{WINDOW}]))"
        for counter in ("total", "failed_total")
    )
    broken = " + ".join(
        f"sum(rate(prometheus_tsdb_{counter}_total[{WINDOW}]))"
        for counter in ("compactions_failed", "reloads_failures", "wal_corruptions", "wal_writes_failed")
    )
    return {
        "Alerting": [
            graph(
                "Alerts to Alertmanager",
                "A second: handed over, failed and dropped. The watchdog is always among them.",
                "ops",
                {"sent": sent, "failed": errors, "dropped": dropped},
                alerts=["AlertmanagerGone", "AlertsNotDelivered", "Watchdog"],
            ),
            graph(
                "Notifications",
                "A second, by integration, and those that fail.",
                "ops",
                {"{{integration}}": every, "{{integration}} failed": failed},
                alerts=["NotificationsFail"],
            ),
        ],
        "Monitoring itself": [
            graph(
                "Failures of Prometheus",
                "A second: evaluations of rules, and attempts to store samples.",
                "ops",
                {
                    "rules": f"sum(rate(prometheus_rule_evaluation_failures_total[{WINDOW}]))",
                    "storage": broken,
                },
                alerts=["RulesFail", "TsdbFails"],
            ),
            graph(
                "Configurations in use",
                "1 for a server that has taken what it was given last, 0 for one that has refused it.",
                "short",
                {
                    "Prometheus": "min(prometheus_config_last_reload_successful)",
                    "Alertmanager": "min(alertmanager_config_last_reload_successful)",
                },
                alerts=["ReloadFails"],
            ),
            graph(
                "Share of volumes in use",
                "By what each server says of its own files.",
                "percentunit",
                {"{{pod}}": 'task_manager:volume_used:ratio{volume!="database"}'},
                alerts=["ServerVolumeFills"],
            ),
        ],
    }
