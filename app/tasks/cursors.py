"""Pagination cursors: opaque, signed, and bound to one listing."""

import hashlib
import json
from datetime import datetime
from uuid import UUID

from app.core.errors import MalformedError
from app.core.security import base64url
from app.core.security.signing import Signer
from app.tasks.query import Position, Query

TAG_BYTES = 16
"""Bytes of the truncated HMAC: forging one takes 2^128 tries."""


class Cursors:
    """Encodes and decodes positions.

    A cursor is bound to its user, filters and order: under others it would skip or repeat tasks.

    Args:
        key: signing key.
        accepted: further keys to verify with (rotation).
    """

    def __init__(self, key: bytes, *accepted: bytes) -> None:
        self._signer = Signer(key, *accepted, size=TAG_BYTES)

    def encode(self, user_id: UUID, query: Query, position: Position) -> str:
        value = position.value
        payload = json.dumps(
            [value.isoformat() if isinstance(value, datetime) else value, position.id.hex],
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        tag = self._signer.sign(_message(user_id, query, payload))
        return base64url.encode(tag + payload)

    def decode(self, user_id: UUID, query: Query, cursor: str) -> Position:
        """Return the position. Raises MalformedError if the cursor is invalid or was issued for another listing."""
        try:
            raw = base64url.decode(cursor)
        except ValueError:
            raw = b""
        tag, payload = raw[:TAG_BYTES], raw[TAG_BYTES:]
        if not self._signer.verify(_message(user_id, query, payload), tag):
            raise MalformedError("cursor", "does not belong to this list: start again without it")
        value, identifier = json.loads(payload)
        if isinstance(value, str) and query.sort.field != "title":
            value = datetime.fromisoformat(value)
        return Position(value, UUID(hex=identifier))


def _message(user_id: UUID, query: Query, payload: bytes) -> bytes:
    filters = query.filters
    bound = json.dumps(
        [
            user_id.hex,
            query.sort,
            filters.status,
            filters.q,
            filters.due_after and filters.due_after.isoformat(),
            filters.due_before and filters.due_before.isoformat(),
            filters.tag,
        ]
    )
    return hashlib.sha256(bound.encode()).digest() + payload
