"""What a client makes its request depend on: the version of a thing, or that the request is a new one."""

import hashlib
import re

from flask import Response, request

from app.api.caching import OWN_USER
from app.platform.errors import InvalidError
from app.services.tasks.model import OnceKey

KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


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


def once_key() -> OnceKey | None:
    """Return the client's own name for the request (`Idempotency-Key`), if it gives one. Raises InvalidError."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not KEY.fullmatch(key):
        raise InvalidError("Idempotency-Key", "must be 1 to 255 visible ASCII characters")
    return OnceKey(key, hashlib.sha256(f"{request.path}\n".encode() + request.get_data()).hexdigest())
