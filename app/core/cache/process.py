"""Response cache in the memory of the process, for deployments without Redis."""

import threading
import time
from collections.abc import Callable
from uuid import UUID

from cachetools import TTLCache

from app.core.cache.interface import LARGEST, LIFETIME, CacheLookup, SessionStates

MOST_BYTES = 16 << 20
"""Memory for cached responses, bytes: of a pod of 384 MiB."""


class ProcessUserCache:
    """Caches responses here, and asks the database for the session and the version of the user's data by one query.

    The version is counted in the transaction that changes the data. So two processes that overlap during a rollout
    never show what the other one has changed meanwhile, although neither tells the other.

    Args:
        sessions: says which sessions have ended, and the version of a user's data.
        timer: seconds, as of time.monotonic.
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
            kept_as, body = self._responses.get((user_id, name), (b"", b""))
        return CacheLookup(denied=False, version=version, body=body if kept_as == version else None)

    def store(self, user_id: UUID, version: bytes, name: str, body: bytes) -> None:
        if len(body) <= LARGEST:
            with self._lock:
                self._responses[user_id, name] = version, body

    def deny(self, user_id: UUID, session_id: UUID) -> None:
        """Nothing to do: ending the session, which the caller does, is the entry."""
