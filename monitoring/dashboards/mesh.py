"""Istio's gateway and sidecars, by the counters of stock Envoy: they name who is called."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.dashboards.panels import WINDOW, Rows, dashboard, graph

_HOST: Final = "outbound[|][0-9]+[|][^|]*[|]task-manager-([a-z]+)[.].*"
_CALLS: Final = '{cluster_name=~"outbound.*[|]task-manager-[a-z]+[.].*"}'
_CLIENTS: Final = 'job="gateway"'


def _called(values: str) -> str:
    """Name the service that is called, in the label `service`."""
    return f'label_replace({values}, "service", "$1", "cluster_name", "{_HOST}")'


def _rate(counter: str, by: str = "service") -> str:
    """The rate of a counter of calls.

    Args:
        counter: without `envoy_cluster_`.
    """
    return f"sum by ({by}) ({_called(f'rate(envoy_cluster_{counter}{_CALLS}[{WINDOW}])')})"


def _state(gauge: str, fold: str) -> str:
    return f"{fold} by (service) ({_called(f'envoy_cluster_{gauge}{_CALLS}')})"


def _gateway(counter: str) -> str:
    return f"sum(rate(envoy_{counter}[{WINDOW}]))"


def mesh() -> Dashboard:
    """Calls of services by gateway and sidecars; failing instances, retries, refusals, mutual TLS."""
    every = 'sum by (service) (task_manager:mesh_requests:rate5m{job="gateway"})'
    failed = 'sum by (service) (task_manager:mesh_requests:rate5m{job="gateway",response_code_class="5xx"})'
    buckets = _called(f'rate(envoy_cluster_upstream_rq_time_bucket{{job="gateway",{_CALLS[1:-1]}}}[{WINDOW}])')
    rows: Rows = {
        "Calls of services, by the gateway": [
            graph(
                "Requests", "Answers a second, by service.", "reqps", {"{{service}}": every}, alerts=["GatewayErrors"]
            ),
            graph(
                "Errors",
                "Share of a service's answers with a status of 500 or more.",
                "percentunit",
                {"{{service}}": f"({failed} or 0 * {every}) / {every}"},
                alerts=["GatewayErrors"],
            ),
            graph(
                "Duration",
                "99 of 100 answers of a service take at most so long.",
                "s",
                {"{{service}}": f"histogram_quantile(0.99, sum by (le, service) ({buckets})) / 1000"},
            ),
        ],
        "Instances": [
            graph(
                "Ejected instances",
                "That failed, and get no requests for a while: the most that a proxy has ejected.",
                "short",
                {"{{service}}": _state("outlier_detection_ejections_active", "max")},
                alerts=["InstancesEjected"],
            ),
            graph(
                "Instances that are called",
                "As few as a proxy knows.",
                "short",
                {"{{service}}": _state("membership_healthy", "min")},
            ),
            graph(
                "Connections that fail, and time-outs",
                "A second.",
                "ops",
                {
                    "{{service}} connections": _rate("upstream_cx_connect_fail"),
                    "{{service}} time-outs": _rate("upstream_rq_timeout"),
                },
            ),
        ],
        "Retries and circuit breakers": [
            graph(
                "Retries",
                "A second, and those that helped.",
                "ops",
                {
                    "{{service}}": _rate("upstream_rq_retry"),
                    "{{service}} helped": _rate("upstream_rq_retry_success"),
                },
            ),
            graph(
                "Retries beyond the budget",
                "A second that were not made.",
                "ops",
                {"{{service}}": _rate("upstream_rq_retry_overflow")},
                alerts=["RetryBudgetExhausted"],
            ),
            graph(
                "Requests that a circuit breaker refuses",
                "A second, with 503.",
                "ops",
                {"{{service}}": _rate("upstream_rq_pending_overflow")},
                alerts=["CircuitBreakerOpen"],
            ),
        ],
        "What the gateway refuses": [
            graph(
                "Tokens",
                "Requests a second with a bad one, and fetches of keys that failed.",
                "ops",
                {
                    "refused": _gateway(f"http_jwt_authn_denied{{{_CLIENTS}}}"),
                    "fetches failed": _gateway(f"http_jwt_authn_jwks_fetch_failed{{{_CLIENTS}}}"),
                },
                alerts=["GatewayRefusesTokens", "GatewayKeysNotFetched"],
            ),
            graph(
                "Requests without a token",
                "A second, for paths that need one.",
                "ops",
                {"refused": _gateway(f'http_rbac{{authz_enforce_result="denied",{_CLIENTS}}}')},
            ),
            graph(
                "Rate limits",
                "Requests a second: answered 429, and let through.",
                "ops",
                {
                    "limited": _gateway("gateway_http_local_rate_limit_rate_limited"),
                    "let through": _gateway("gateway_http_local_rate_limit_ok"),
                },
                alerts=["GatewayLimitsRequests"],
            ),
        ],
        "Mutual TLS": [
            graph(
                "Handshakes",
                "A second, of connections to a service.",
                "ops",
                {"{{service}}": f'sum by (service) (rate(envoy_listener_ssl_handshake{{job="sidecar"}}[{WINDOW}]))'},
            ),
            graph(
                "Connections refused",
                "A second: a certificate that is not good, none at all, or plain text.",
                "ops",
                {
                    f"{{{{service}}}} {kind}": "sum by (service)"
                    f' (rate(envoy_listener_{counter}{{job="sidecar"}}[{WINDOW}]))'
                    for kind, counter in {
                        "not good": "ssl_fail_verify_error",
                        "no certificate": "ssl_fail_verify_no_cert",
                        "another name": "ssl_fail_verify_san",
                        "plain text": "no_filter_chain_match",
                    }.items()
                },
                alerts=["MutualTlsFails"],
            ),
            graph(
                "Calls that policies refuse",
                "A second, by the service that is called.",
                "ops",
                {
                    "{{service}}": "sum by (service)"
                    f' (rate(envoy_http_rbac{{authz_enforce_result="denied",job="sidecar"}}[{WINDOW}]))'
                },
            ),
            graph(
                "Connections",
                "That proxies have open to a service.",
                "short",
                {"{{service}}": _state("upstream_cx_active", "sum")},
            ),
        ],
    }
    return dashboard("mesh", "mesh", "Istio's gateway and sidecars.", rows)
