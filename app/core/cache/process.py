"""Response cache in the memory of the process, for deployments without Redis."""

import threading
import time
from collections import OrderedDict
from uuid import UUID

from app.core.cache.interface import LARGEST, LIFETIME, CacheLookup, SessionStates

MOST_BYTES = 16 << 20
"""Memory for answers, bytes: of a pod of 384 MiB."""


class ProcessUserCache:
    """Keeps answers here, and asks the database for the session and the version of the user's data by one query.

    The version is counted in the transaction that changes the data. So two processes that overlap during a rollout
    never show what the other one has changed meanwhile, although neither tells the other.
    """

    def __init__(self, sessions: SessionStates) -> None:
        self._sessions = sessions
        self._answers: OrderedDict[tuple[UUID, str], tuple[float, bytes, bytes]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def look(self, user_id: UUID, session_id: UUID, name: str | None) -> CacheLookup:
        known = self._sessions.version(user_id, session_id)
        if known is None:
            return CacheLookup(denied=True)
        version = str(known).encode()
        if name is None:
            return CacheLookup(denied=False, version=version)
        with self._lock:
            until, kept_as, body = self._answers.get((user_id, name), (0.0, b"", b""))
        current = kept_as == version and time.monotonic() < until
        return CacheLookup(denied=False, version=version, body=body if current else None)

    def keep(self, user_id: UUID, version: bytes, name: str, body: bytes) -> None:
        if len(body) > LARGEST:
            return
        with self._lock:
            self._drop((user_id, name))
            self._answers[user_id, name] = (time.monotonic() + LIFETIME, version, body)
            self._bytes += len(body)
            while self._bytes > MOST_BYTES:
                self._drop(next(iter(self._answers)))

    def deny(self, user_id: UUID, session_id: UUID) -> None:
        """Nothing to do: ending the session, which the caller does, is the entry."""

    def _drop(self, key: tuple[UUID, str]) -> None:
        if dropped := self._answers.pop(key, None):
            self._bytes -= len(dropped[2])
