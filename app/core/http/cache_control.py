"""Cache-Control of responses: private, public or no-store.

A shared cache, such as a CDN, stores only `public` responses. `infra/components/edge/cache_rules.py` has the same rules
by path; a test holds the two equal.
"""

from collections.abc import Mapping

from flask import Response, request

YEAR = 365 * 24 * 3600

NOBODY = "no-store"
OWN_USER = "private, no-cache"
"""Revalidated at each use, mostly with a 304."""
SIGNED_ADDRESS = "private, max-age=3600, immutable"
"""An immutable file behind a signed URL: it must not outlive the signature in a shared cache."""
FOR_EVER = f"public, max-age={YEAR}, immutable"

SHARED, STALE = 60, 30
"""s-maxage and stale-while-revalidate of public responses, seconds."""


def public(own: int = 0) -> str:
    """Return the Cache-Control of a public response that may change with a release.

    Args:
        own: max-age for the client's own cache, seconds, on top of the response's time in a shared cache.
    """
    return f"public, max-age={own}, s-maxage={SHARED}, stale-while-revalidate={STALE}"


COUNTS = frozenset({"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"})
"""Headers about the caller, which no shared cache may store."""


def kept(response: Response, how: str) -> Response:
    """Set Cache-Control and ETag, and answer a matching If-None-Match with 304."""
    response.headers["Cache-Control"] = how
    response.add_etag()
    response.make_conditional(request)
    return response


def without_secrets(
    headers: list[tuple[str, str]], said: Mapping[str, str], *, authorised: bool
) -> list[tuple[str, str]]:
    """Return the headers, without rate-limit counts if the response is public.

    A response to a request with `Authorization`, or one that sets a cookie, is made private: a shared cache may store
    even such a response if it is public (RFC 9111, section 3.5).

    Args:
        headers: as the application sets them.
        said: the same by name.
        authorised: whether the request had an `Authorization` header, valid or not.
    """
    if not said.get("Cache-Control", "").startswith("public"):
        return headers
    if authorised or "Set-Cookie" in said:
        return [(name, OWN_USER if name == "Cache-Control" else value) for name, value in headers]
    return [header for header in headers if header[0] not in COUNTS]
