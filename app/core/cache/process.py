"""Response cache in the memory of the process, for deployments without Redis."""

import threading
import time
from collections.abc import Callable
from uuid import UUID

from cachetools import TTLCache

from app.core.cache.interface import LARGEST, LIFETIME, CacheLookup, SessionStates

MOST_BYTES = 16 << 20
"""Memory for cached responses, bytes, in a pod of 384 MiB."""


class ProcessUserCache:
    """Responses cached in memory; session state and data version come from the database, by one query a request.

    The version is incremented in the transaction that changes the data. So two processes that overlap during a rollout
    never serve stale data, although neither notifies the other.

    Args:
        sessions: session states and versions of users' data.
        timer: a clock in seconds, such as time.monotonic.
    """

    def __init__(self, sessions: SessionStates, timer: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._responses: TTLCache[tuple[UUID, str], tuple[bytes, bytes]] = TTLCache(
            MOST_BYTES, LIFETIME, timer, getsizeof=lambda response: len(response[1])
        )
        self._lock = threading.Lock()

    def lookup(self, user_id: UUID, session_id: UUID, name: str | None) -> CacheLookup:
        known = self._sessions.version(user_id, session_id)
        if known is None:
            return CacheLookup(denied=True)
        version = str(known).encode()
        if name is None:
            return CacheLookup(denied=False, version=version)
        with self._lock:
            stored_version, body = self._responses.get((user_id, name), (b"", b""))
        return CacheLookup(denied=False, version=version, body=body if stored_version == version else None)

    def store(self, user_id: UUID, version: bytes, name: str, body: bytes) -> None:
        if len(body) <= LARGEST:
            with self._lock:
                self._responses[user_id, name] = version, body

    def deny(self, user_id: UUID, session_id: UUID) -> None:
        """Nothing to do: `lookup` reads the session's end, which the caller commits, from the database."""
