"""Kong's own objects: plugins of the routes, how it calls each service, and the keys of tokens.

Its Ingress Controller reads them, and its open-source proxy has these plugins. docs/adr/0061 says what they do not do.
"""

from collections.abc import Iterator
from typing import Any, Final

from infra import names
from infra.components.edge.gateway_extension import GatewayExtension
from infra.components.edge.limits import MAX_BODY, PER_ADDRESS
from infra.components.edge.public_paths import path_matchers
from infra.config.settings import Settings
from infra.config.types import LoadBalancing

GROUP: Final = "configuration.konghq.com"
PLUGINS_API: Final = f"{GROUP}/v1"
POLICIES_API: Final = f"{GROUP}/v1beta1"

INGRESS_CLASS: Final = "kong"
"""Of the controller, by which it knows its consumers: its default."""

RATE_LIMIT: Final = f"{names.GATEWAY}-rate-limit"
REQUEST_ID: Final = f"{names.GATEWAY}-request-id"
BODY_LIMIT: Final = f"{names.GATEWAY}-body-limit"
TOKEN: Final = f"{names.GATEWAY}-token"


def extensions(settings: Settings, namespace: str) -> Iterator[GatewayExtension]:
    """Yield the objects of a stack's gateway."""
    yield _plugin(
        "rate-limit",
        RATE_LIMIT,
        "rate-limiting",
        # Each pod of the proxy counts for itself, and each match of a rule. Kong's headers would replace the API's own,
        # which tell of the user's limit.
        {"minute": PER_ADDRESS, "limit_by": "ip", "policy": "local", "hide_client_headers": True},
    )
    yield _plugin(
        "request-id",
        REQUEST_ID,
        "correlation-id",
        # One that a client sends is kept, as the API keeps it. It is in answers of Kong's own too.
        {"header_name": "X-Request-ID", "generator": "uuid", "echo_downstream": True},
    )
    yield _plugin(
        "body-limit",
        BODY_LIMIT,
        "request-size-limiting",
        {"allowed_payload_size": MAX_BODY, "size_unit": "bytes"},
    )
    if settings.gateway.token_keys:
        yield _plugin("token", TOKEN, "jwt", _TOKEN)
        yield GatewayExtension(
            "consumer",
            PLUGINS_API,
            "KongConsumer",
            names.GATEWAY,
            # Whoever has a token is this one consumer: Kong knows keys, and no users. Its name is the only one of its
            # kind at all stacks behind one Kong.
            {"username": namespace, "credentials": list(settings.gateway.token_keys)},
            {"kubernetes.io/ingress.class": INGRESS_CLASS},
        )
    least_loaded = settings.gateway.load_balancing is LoadBalancing.LEAST_LOADED
    for own in map(names.ServiceNames, settings.releases):
        policy = {"spec": upstream_policy(least_loaded=least_loaded)}
        yield GatewayExtension(f"upstream{own.suffix}", POLICIES_API, "KongUpstreamPolicy", own.release, policy)


_TOKEN: Final = {
    # The header of a token names its key; a credential of the consumer holds it under that name.
    "key_claim_name": "kid",
    "claims_to_verify": ["exp"],
    "header_names": ["authorization"],
    "uri_param_names": [],
}


def upstream_policy(*, least_loaded: bool) -> dict[str, Any]:
    """Balancing among a service's pods, and when one is left out. Each pod of the proxy counts for itself.

    Args:
        least_loaded: whether the pod with the fewest requests open is taken, rather than the next one.
    """
    return {
        "algorithm": "least-connections" if least_loaded else "round-robin",
        "healthchecks": {
            # Failures in a row. Answers are not counted: what all pods stand on may fail, and nothing keeps Kong from
            # leaving out all of them.
            "passive": {"type": "http", "unhealthy": {"tcpFailures": 3, "timeouts": 3}},
            # Nothing else brings a pod back. Pods that are well are not probed: Kubernetes does.
            "active": {
                "type": "http",
                "httpPath": "/health/ready",
                "healthy": {"successes": 1},
                "unhealthy": {"interval": 5},
            },
        },
    }


def service_annotations(own: names.ServiceNames) -> dict[str, str]:
    """How Kong calls a service: an annotation of its Service each. Times are milliseconds."""
    values = {
        "upstream-policy": own.release,
        "connect-timeout": "1000",
        # Between two writes or two reads, not of a whole request. Twice as long as a statement may take.
        "write-timeout": "30000",
        "read-timeout": "30000",
        # After a connection that failed, or a time-out. Of a request that had been sent, only where the method is
        # idempotent: nginx repeats no POST and no PATCH (proxy_next_upstream).
        "retries": "2",
    }
    return {f"konghq.com/{key}": value for key, value in values.items()}


def route(settings: Settings, own: names.ServiceNames) -> dict[str, Any]:
    """The chart's values of a service's route: which plugins its rules name."""
    values: dict[str, Any] = {
        "filters": [_filter(RATE_LIMIT), _filter(REQUEST_ID)],
        "bodyFilters": [_filter(BODY_LIMIT)],
    }
    if settings.gateway.redirect_http:
        # A route of the TLS listener alone takes plain requests too, and answers them by itself: no other route would.
        values["annotations"] = {"konghq.com/https-redirect-status-code": "301"}
    if settings.gateway.token_keys:
        values |= {"tokenFilters": [_filter(TOKEN)], "publicPaths": list(path_matchers(own))}
    return values


def _plugin(resource: str, name: str, plugin: str, config: dict[str, Any]) -> GatewayExtension:
    return GatewayExtension(resource, PLUGINS_API, "KongPlugin", name, {"plugin": plugin, "config": config})


def _filter(plugin: str) -> dict[str, Any]:
    return {"type": "ExtensionRef", "extensionRef": {"group": GROUP, "kind": "KongPlugin", "name": plugin}}
