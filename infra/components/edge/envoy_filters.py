"""EnvoyFilters of the gateway: what Istio's own policies have no field for.

An upgrade of Istio can break them, so they are few and aimed at one Gateway. tests/data/mesh has the manifests that
were tried on a running gateway.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from infra.components.edge.limits import MAX_BODY, PER_ADDRESS, PER_USER

API_VERSION: Final = "networking.istio.io/v1alpha3"

UPLOADS: Final = "uploads"
"""Name of the rules of HTTPRoutes whose bodies the gateway does not hold: the chart's."""

BUCKETS: Final = 10_000
"""Users and addresses that a gateway pod remembers; those that were seen last."""

_FILTERS: Final = "type.googleapis.com/envoy.extensions.filters"
_MANAGER: Final = "envoy.filters.network.http_connection_manager"
_ROUTER: Final = {
    "context": "GATEWAY",
    "listener": {
        "filterChain": {"filter": {"name": _MANAGER, "subFilter": {"name": "envoy.filters.http.router"}}},
    },
}

Patches = list[dict[str, Any]]


def filters(keys_url: str, issuer: str, audience: str, sampled: float) -> dict[str, Patches]:
    """Patches by the name of their EnvoyFilter."""
    return {
        "token-keys": token_keys(keys_url, issuer, audience),
        "rate-limits": rate_limits(),
        "retries": retries(),
        "body-limit": body_limit(),
        "connections": connections(sampled),
    }


def token_keys(keys_url: str, issuer: str, audience: str) -> Patches:
    """Keys in the background: those that were fetched last stay good while auth is away, and no request waits for them.

    Istio's own configuration forgets them after five minutes. A merge replaces a provider as a whole: this one says
    what Istio's says (pilot/pkg/security/authn/policy_applier.go), and how to fetch.
    """
    address = urlsplit(keys_url)
    provider = {
        "issuer": issuer,
        "audiences": [audience],
        "forward": True,
        "payload_in_metadata": "payload",
        "normalize_payload_in_metadata": {"space_delimited_claims": ["scope", "permission"]},
        "remote_jwks": {
            "http_uri": {
                "uri": keys_url,
                "cluster": f"outbound|{address.port}||{address.hostname}",
                "timeout": "5s",
            },
            # A new key is unknown here for as long.
            "cache_duration": "10s",
            "async_fetch": {"fast_listener": True},
        },
    }
    match = {
        "context": "GATEWAY",
        "listener": {
            "filterChain": {"filter": {"name": _MANAGER, "subFilter": {"name": "envoy.filters.http.jwt_authn"}}}
        },
    }
    value = {
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": f"{_FILTERS}.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"origins-0": provider},
        },
    }
    return [_patch("HTTP_FILTER", match, "MERGE", value)]


def rate_limits() -> Patches:
    """A bucket for each user, by the verified token's subject, and for each address."""
    subject = {"key": "envoy.filters.http.jwt_authn", "path": [{"key": "payload"}, {"key": "sub"}]}
    limits = {
        "@type": f"{_FILTERS}.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "gateway",
        "filter_enabled": {"default_value": {"numerator": 100}},
        "filter_enforced": {"default_value": {"numerator": 100}},
        # Wanted by Envoy, for requests of no bucket: there are none, since each has an address.
        "token_bucket": _bucket(PER_ADDRESS),
        "always_consume_default_token_bucket": False,
        "max_dynamic_descriptors": BUCKETS,
        "rate_limits": [
            {"actions": [{"metadata": {"descriptor_key": "user", "metadata_key": subject, "skip_if_absent": True}}]},
            {"actions": [{"remote_address": {}}]},
        ],
        "descriptors": [
            {"entries": [{"key": "user"}], "token_bucket": _bucket(PER_USER)},
            {"entries": [{"key": "remote_address"}], "token_bucket": _bucket(PER_ADDRESS)},
        ],
    }
    return [_insert("envoy.filters.http.local_ratelimit", limits)]


def _bucket(per_minute: int) -> dict[str, Any]:
    """A minute's requests at once, then those of each second: Envoy fills all buckets at the same times."""
    return {"max_tokens": per_minute, "tokens_per_fill": per_minute // 60, "fill_interval": "1s"}


def retries() -> Patches:
    """Retries of idempotent methods alone, for every cause; a DestinationRule has their budget."""
    policy = {
        "retry_on": "connect-failure,refused-stream,reset,gateway-error",
        "num_retries": 2,
        "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
        "retriable_request_headers": [
            {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD|OPTIONS|PUT|DELETE"}}}
        ],
    }
    return [_patch("HTTP_ROUTE", {"context": "GATEWAY"}, "MERGE", {"route": {"retry_policy": policy}})]


def body_limit() -> Patches:
    """413 before a service sees any of a body. It is held in memory until it is whole, so uploads are left out."""
    buffer = f"{_FILTERS}.http.buffer.v3.Buffer"
    uploads = {"context": "GATEWAY", "routeConfiguration": {"vhost": {"route": {"name": UPLOADS}}}}
    unlimited = {"envoy.filters.http.buffer": {"@type": f"{buffer}PerRoute", "disabled": True}}
    return [
        _insert("envoy.filters.http.buffer", {"@type": buffer, "max_request_bytes": MAX_BODY}),
        _patch("HTTP_ROUTE", uploads, "MERGE", {"typed_per_filter_config": unlimited}),
    ]


def connections(sampled: float) -> Patches:
    """Slow clients, request ids, trace ids, and answers of the gateway's own as problems (RFC 9457).

    Args:
        sampled: percent of the traces that begin here and that services record.
    """
    denied = {"status_code_filter": {"comparison": _equals(403, "gateway_denied")}}
    limited = {"status_code_filter": {"comparison": _equals(429, "gateway_limited")}}
    manager = {
        "@type": f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        # A client that sends its headers a byte at a time, and one that stops within a request.
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "75s",
        # The id that the access log has; one that a client sends is replaced.
        "always_set_request_id_in_response": True,
        # Envoy's tracer wants a collector: this cluster drops all. Services export their spans themselves.
        "tracing": {
            "random_sampling": {"value": sampled},
            "provider": {
                "name": "envoy.tracers.opentelemetry",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                    "service_name": "gateway",
                    "http_service": {
                        "http_uri": {
                            "uri": "http://collector/v1/traces",
                            "cluster": "BlackHoleCluster",
                            "timeout": "1s",
                        }
                    },
                },
            },
        },
        "local_reply_config": {
            "mappers": [
                {
                    # A policy's answer to a request without a token, or with something else in its place; a bad one
                    # is rejected before. The API answers with 401.
                    "filter": denied,
                    "status_code": 401,
                    "headers_to_add": [{"header": {"key": "www-authenticate", "value": "Bearer"}}],
                },
                # Buckets are filled each second.
                {"filter": limited, "headers_to_add": [{"header": {"key": "retry-after", "value": "1"}}]},
            ],
            "body_format": {
                "json_format": {
                    "type": "about:blank",
                    "title": "%LOCAL_REPLY_BODY%",
                    "status": "%RESPONSE_CODE%",
                    "detail": "%LOCAL_REPLY_BODY%",
                    "instance": "%REQ(:PATH)%",
                    "request_id": "%REQ(X-REQUEST-ID)%",
                },
                "content_type": "application/problem+json",
                # Of a request whose header is too large neither path nor id are known.
                "omit_empty_values": True,
            },
        },
    }
    match = {"context": "GATEWAY", "listener": {"filterChain": {"filter": {"name": _MANAGER}}}}
    return [_patch("NETWORK_FILTER", match, "MERGE", {"typed_config": manager})]


def _equals(value: int, key: str) -> dict[str, Any]:
    return {"op": "EQ", "value": {"default_value": value, "runtime_key": key}}


def _insert(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """A filter before the router, after those of tokens and policies."""
    return _patch("HTTP_FILTER", _ROUTER, "INSERT_BEFORE", {"name": name, "typed_config": config})


def _patch(kind: str, match: dict[str, Any], operation: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"applyTo": kind, "match": match, "patch": {"operation": operation, "value": value}}
