"""The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header-07)."""

import hashlib
import re
from typing import IO

from flask import Flask, request

from app.core.errors import InvalidError
from app.core.idempotency import IdempotencyKey

HEADER = "Idempotency-Key"

PATTERN = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)

SUPPORTED = frozenset(
    {
        "attachments.add",
        "data_export.export",
        "jobs.resume",
        "many.change_tasks",
        "tasks.create",
        "tasks.update",
        "transfers.export_tasks",
        "transfers.import_tasks",
    }
)
"""The endpoints that honour a key."""


def register(app: Flask) -> None:
    """Refuse a key where none is honoured: the client would retry, and trust in a protection that is not there.

    GET, PUT and DELETE are idempotent by themselves (RFC 9110, section 9.2.2), so a key does no harm there.
    """

    @app.before_request
    def refuse_unsupported_key() -> None:
        unsupported = request.endpoint is not None and request.endpoint not in SUPPORTED
        if unsupported and request.method in ("POST", "PATCH") and HEADER in request.headers:
            raise InvalidError(HEADER, "is not supported by this operation: send the request without it")


def idempotency_key(content_digest: str | None = None) -> IdempotencyKey | None:
    """Return the key of the request, if it has one.

    Args:
        content_digest: SHA-256 of an uploaded file, in hexadecimal. A form's own bytes differ each time that it is
            sent, by the boundary between its parts. None takes the body as it is.

    Raises:
        InvalidError: the header is malformed.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not PATTERN.fullmatch(key):
        raise InvalidError(HEADER, "must be 1 to 255 visible ASCII characters")
    target = request.full_path if request.query_string else request.path
    content = request.get_data() if content_digest is None else content_digest.encode()
    return IdempotencyKey(key, hashlib.sha256(f"{target}\n".encode() + content).hexdigest())


def digest_of(file: IO[bytes], name: str) -> str:
    """Return the digest of an uploaded file and its name; the file is at its beginning before and after."""
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type] # it reads, which is all that is asked for
    file.seek(0)
    digest.update(name.encode())
    return digest.hexdigest()
