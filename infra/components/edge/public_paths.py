"""What the API serves without a token, for gateways that ask for one."""

from collections.abc import Iterator
from typing import Final

from infra import names

PUBLIC_PATHS: Final = (
    # The front end, the API's documents, health and keys.
    "/",
    "/static/*",
    "/favicon.ico",
    "/health/*",
    names.KEYS_PATH,
    "/api/v1/auth/jwks.json",
    "/api/v1/openapi.json",
    "/api/v1/docs",
    "/api/v1/docs.css",
    # Operations without a token: by a password, by a token of another kind, or by a signature in the URL.
    "/api/v1/auth/register",
    "/api/v1/auth/login",
    "/api/v1/auth/refresh",
    "/api/v1/auth/password-reset",
    "/api/v1/auth/password-reset/confirm",
    "/api/v1/auth/verification/confirm",
    "/api/v1/files/*",
    "/api/v1/notifications/unsubscribe",
    "/api/v1/notifications/bounces/*",
)
"""Paths; one with a `*` at its end stands for all below it. tests/contract holds them to the API."""

_OWNERS: Final = {
    names.KEYS_PATH: "auth",
    "/api/v1/auth/": "auth",
    "/api/v1/notifications/": "notifications",
}
"""Services by what their public paths begin with; those of all others are of the front end's."""


def path_matchers(own: names.ServiceNames) -> Iterator[dict[str, str]]:
    """Yield the public paths of a service as path matchers of the Gateway API."""
    for path in PUBLIC_PATHS:
        owner = next((each for prefix, each in _OWNERS.items() if path.startswith(prefix)), names.FRONT_END)
        if own.service in (names.ALL, owner):
            below = path.endswith("/*")
            yield {"type": "PathPrefix" if below else "Exact", "value": path.removesuffix("/*")}
