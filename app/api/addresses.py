"""Addresses of files that are good for a while, for whoever has them: no log-in is asked for."""

import base64
import hmac
from uuid import UUID

from app.platform.clock import Clock

PREFIX = "/api/v1/files"
HOUR = 3600


class Addresses:
    """Signs addresses, and knows its signatures again.

    Args:
        clock: the time.
        key: what they are signed with.
        accepted: keys with which they may have been signed.
    """

    def __init__(self, clock: Clock, key: bytes, *accepted: bytes) -> None:
        self._clock = clock
        self._keys = (key, *accepted)

    def of(self, key: UUID) -> str:
        """Return the address of a file. It is good for one to two hours, and the same for the whole of an hour: so that
        an answer that holds it, and a browser that has fetched it, need not take it for a new one each time."""
        expires = (int(self._clock().timestamp()) // HOUR + 2) * HOUR
        return f"{PREFIX}/{key}?expires={expires}&signature={_signature(self._keys[0], key, expires)}"

    def good(self, key: UUID, expires: int, signature: str) -> bool:
        """Say whether an address is ours and still good."""
        known = any(
            hmac.compare_digest(_signature(one, key, expires).encode(), signature.encode()) for one in self._keys
        )
        return known and expires > self._clock().timestamp()


def _signature(secret: bytes, key: UUID, expires: int) -> str:
    digest = hmac.digest(secret, f"{key.hex}\n{expires}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
