"""Conditional requests: If-Match and If-None-Match (RFC 9110, section 13.1)."""

from flask import Response, request

from app.core.http.cache_control import OWN_USER


def expected_versions() -> list[int] | None:
    """Return the versions that `If-Match` names; None where any will do (RFC 9110, section 13.1.1)."""
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    # Of an empty tag the parser makes None.
    tags = [tag or "" for tag in request.if_match.as_set()]
    return [int(tag) for tag in tags if tag.isascii() and tag.isdigit() and len(tag) < 10]


def revalidated(response: Response) -> None:
    """Let its own user keep an answer that has an ETag, and leave the body out for who has it already."""
    response.headers["Cache-Control"] = OWN_USER
    response.make_conditional(request)


def versioned(response: Response, version: int) -> Response:
    """Name the version of the thing in an answer, and leave the body out for who has that version already."""
    response.set_etag(str(version))
    revalidated(response)
    return response
