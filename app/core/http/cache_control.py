"""Cache-Control of responses: private, public or no-store.

A shared cache, such as a CDN, keeps what says `public` and nothing else. `infra/components/edge/cache_rules.py` says
the same by path; a test keeps the two alike.
"""

from collections.abc import Mapping

from flask import Response, request

YEAR = 365 * 24 * 3600

NOBODY = "no-store"
OWN_USER = "private, no-cache"
"""Asked for again each time, and mostly answered by 304."""
SIGNED_ADDRESS = "private, max-age=3600, immutable"
"""A file that never changes, for whoever has its address: it must not outlive that address in a cache of others."""
FOR_EVER = f"public, max-age={YEAR}, immutable"

SHARED, STALE = 60, 30
"""Seconds for which a shared cache keeps a public answer, and goes on giving it while it asks for a new one."""


def public(own: int = 0) -> str:
    """Return what a public answer says, which may change with a release.

    Args:
        own: seconds for which a client may use it without asking, beside what it may have aged in a shared cache.
    """
    return f"public, max-age={own}, s-maxage={SHARED}, stale-while-revalidate={STALE}"


COUNTS = frozenset({"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"})


def kept(response: Response, how: str) -> Response:
    """Say how an answer may be kept, and leave the body out for who has it already."""
    response.headers["Cache-Control"] = how
    response.add_etag()
    response.make_conditional(request)
    return response


def without_secrets(
    headers: list[tuple[str, str]], said: Mapping[str, str], *, authorised: bool
) -> list[tuple[str, str]]:
    """Return an answer's headers so that a public one says nothing of who asked, and one to a user is not public.

    A shared cache may keep an answer to a request with `Authorization` if it is public (RFC 9111, section 3.5).

    Args:
        headers: as the application gives them.
        said: the same by name.
        authorised: whether the request had an `Authorization`, whatever it was worth.
    """
    if not said.get("Cache-Control", "").startswith("public"):
        return headers
    if authorised or "Set-Cookie" in said:
        return [(name, OWN_USER if name == "Cache-Control" else value) for name, value in headers]
    return [header for header in headers if header[0] not in COUNTS]
