"""What makes an API gateway of Istio's Gateway: tokens, and how it calls each service.

What Istio has no field for is in `envoy_filters.py`. tests/data/mesh has the manifests that were tried on a running
gateway.
"""

from collections.abc import Iterator
from typing import Any, Final

from infra import names
from infra.components.edge import envoy_filters
from infra.components.edge.gateway_extension import GatewayExtension
from infra.components.edge.public_paths import PUBLIC_PATHS
from infra.config.phase_spec import Api
from infra.config.settings import Settings
from infra.config.types import LoadBalancing, Tls

SECURITY_API: Final = "security.istio.io/v1"
NETWORKING_API: Final = "networking.istio.io/v1"

ISSUER: Final = "task-manager"
AUDIENCE: Final = "task-manager-api"
"""Of the API's access tokens."""

TARGET: Final = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": names.GATEWAY}]

BACKLOG: Final = 64
"""Requests under way for each thread of a service.

A thread answers ten a second and more, so the last of these waits for six seconds at most; with more, clients have
given up before their turn. Far fewer would be refused in a pause of a second, as a busy node makes them.
"""


def keys_url(namespace: str) -> str:
    """Where the proxies fetch the public keys of tokens, over the mesh."""
    return (
        f"http://{names.ServiceNames('auth').release}.{namespace}.svc.cluster.local:{names.API_PORT}{names.KEYS_PATH}"
    )


def request_authentication(namespace: str) -> dict[str, Any]:
    """A bad token ends here, whatever the path. Without one, `authorization` decides."""
    rule = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "forwardOriginalToken": True,  # each service checks it again
        "jwksUri": keys_url(namespace),
    }
    return {"targetRefs": TARGET, "jwtRules": [rule]}


def authorization(*, acme: bool) -> dict[str, Any]:
    """Whoever has a token may ask for everything, and who has none for the public paths.

    Args:
        acme: whether cert-manager answers challenges of the authority here.
    """
    paths = [*PUBLIC_PATHS, *(["/.well-known/acme-challenge/*"] if acme else [])]
    return {
        "targetRefs": TARGET,
        "action": "ALLOW",
        "rules": [
            {"to": [{"operation": {"paths": paths}}]},
            {"from": [{"source": {"requestPrincipals": [f"{ISSUER}/*"]}}]},
        ],
    }


def destination(host: str, api: Api, load_balancing: LoadBalancing) -> dict[str, Any]:
    """Calls of a service: connections, requests that may wait, retries, and instances that fail.

    Each gateway pod counts for itself.

    Args:
        host: the Service's whole name.
        api: the service's pods.
        load_balancing: among them.
    """
    requests = api.max_replicas * api.threads * BACKLOG
    least_loaded = load_balancing is LoadBalancing.LEAST_LOADED
    return {
        "host": host,
        "trafficPolicy": {
            "loadBalancer": {"simple": "LEAST_REQUEST" if least_loaded else "ROUND_ROBIN"},
            # Of the requests that are under way, so that retries end where everything fails.
            "retryBudget": {"percent": 20, "minRetryConcurrency": 3},
            "connectionPool": {
                # Of many connections at once, on busy processors, the handshakes alone take more than a second.
                "tcp": {"maxConnections": requests, "connectTimeout": "5s"},
                "http": {
                    "http1MaxPendingRequests": requests,
                    "http2MaxRequests": requests,
                    # One connection for all requests to a pod: a burst needs no handshake for each of them.
                    "h2UpgradePolicy": "UPGRADE",
                    # The server closes idle connections too, later.
                    "idleTimeout": "30s",
                },
            },
            "outlierDetection": {
                "consecutive5xxErrors": 5,
                "consecutiveGatewayErrors": 3,
                "interval": "5s",
                "baseEjectionTime": "15s",
                # Of instances that all fail alike, by what is behind them, half go on.
                "maxEjectionPercent": 50,
            },
        },
    }


def extensions(settings: Settings, namespace: str) -> Iterator[GatewayExtension]:
    """Yield the objects of a stack's gateway."""
    authentication, allowed = (
        request_authentication(namespace),
        authorization(acme=settings.gateway.certificate is Tls.ACME),
    )
    yield GatewayExtension("tokens", SECURITY_API, "RequestAuthentication", names.GATEWAY, {"spec": authentication})
    yield GatewayExtension("authorization", SECURITY_API, "AuthorizationPolicy", names.GATEWAY, {"spec": allowed})
    sampled = settings.tracing.percent if settings.tracing.endpoint else 100
    for part, patches in envoy_filters.filters(keys_url(namespace), ISSUER, AUDIENCE, sampled).items():
        fields = {"spec": {"targetRefs": TARGET, "configPatches": patches}}
        yield GatewayExtension(part, envoy_filters.API_VERSION, "EnvoyFilter", f"{names.GATEWAY}-{part}", fields)
    for own in map(names.ServiceNames, settings.row.services):
        api = settings.row.services[own.service].api
        rule = destination(f"{own.release}.{namespace}.svc.cluster.local", api, settings.gateway.load_balancing)
        yield GatewayExtension(
            f"destination{own.suffix}", NETWORKING_API, "DestinationRule", own.release, {"spec": rule}
        )
