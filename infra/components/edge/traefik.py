"""Traefik's own objects: a middleware for retries, and a balancer for each service."""

from collections.abc import Iterator, Sequence
from typing import Final

from infra import names
from infra.components.edge.gateway_extension import GatewayExtension

API_VERSION: Final = "traefik.io/v1alpha1"


def extensions(balanced: Sequence[str]) -> Iterator[GatewayExtension]:
    """Yield them.

    Args:
        balanced: services of the API that get a balancer, which asks two pods at random and takes the one with fewer
            requests open.
    """
    yield GatewayExtension(
        "retry",
        API_VERSION,
        "Middleware",
        names.RETRY,
        # For a pod that is gone and still in the list, or gone in the middle of an answer. Traefik sends a request
        # again when nothing of it had been sent, whatever its method, and after a 502 (its own word for a broken
        # connection) only where the method is idempotent: a POST is never done twice (pkg/middlewares/retry).
        {
            "spec": {
                "retry": {
                    # Waits grow from 0.1 to 0.2 s (pkg/middlewares/retry: they at most double over all attempts), about
                    # 0.7 s together: what a list of pods that is short of CPU needs to be brought up to date.
                    "attempts": 6,
                    "initialInterval": "100ms",
                    "status": ["502"],
                    "maxRequestBodyBytes": 64 * 1024,
                }
            }
        },
    )
    for each in map(names.ServiceNames, balanced):
        servers = {"name": each.release, "port": names.API_PORT, "weight": 1, "strategy": "p2c"}
        yield GatewayExtension(
            f"balancer{each.suffix}",
            API_VERSION,
            "TraefikService",
            each.balancer,
            {"spec": {"weighted": {"services": [servers]}}},
        )
