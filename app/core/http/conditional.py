"""Conditional requests: If-Match and If-None-Match (RFC 9110, section 13.1)."""

from flask import Response, request

from app.core.http.cache_control import OWN_USER


def expected_versions() -> list[int] | None:
    """Return the versions in `If-Match`; None if it is absent or `*` (RFC 9110, section 13.1.1)."""
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    # The parser turns an empty tag into None.
    tags = [tag or "" for tag in request.if_match.as_set()]
    return [int(tag) for tag in tags if tag.isascii() and tag.isdigit() and len(tag) < 10]


def revalidated(response: Response) -> None:
    """Make a response with an ETag private, and answer a matching If-None-Match with 304."""
    response.headers["Cache-Control"] = OWN_USER
    response.make_conditional(request)


def versioned(response: Response, version: int) -> Response:
    """Set the resource's version as ETag, and answer a matching If-None-Match with 304."""
    response.set_etag(str(version))
    revalidated(response)
    return response
