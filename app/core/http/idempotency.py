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
"""Endpoints that honour an idempotency key."""


def register(app: Flask) -> None:
    """Reject a key where none is honoured: else the client would retry without the protection that it relies on.

    GET, PUT and DELETE are idempotent by themselves (RFC 9110, section 9.2.2), so a key does no harm there.
    """

    @app.before_request
    def reject_unsupported_key() -> None:
        unsupported = request.endpoint is not None and request.endpoint not in SUPPORTED
        if unsupported and request.method in ("POST", "PATCH") and HEADER in request.headers:
            raise InvalidError(HEADER, "is not supported by this operation: send the request without it")


def idempotency_key(content_digest: str | None = None) -> IdempotencyKey | None:
    """Return the key of the request, if it has one.

    Args:
        content_digest: SHA-256 of an uploaded file, in hexadecimal: the bytes of a multipart body differ at each
            retry, by their boundary. None digests the body as it is.

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
    """Return the SHA-256 of an uploaded file and its name, in hexadecimal; the file is rewound."""
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type] # it only has to read
    file.seek(0)
    digest.update(name.encode())
    return digest.hexdigest()
