"""Sessions that have ended, versions and answers in Redis: one round trip for all that a request asks."""

import secrets
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast
from uuid import UUID

import structlog

from app.platform.errors import UnavailableError
from app.platform.user_cache import LARGEST, LIFETIME, Look
from app.storage.cache.breaker import AwayError, Breaker
from app.storage.cache.sessions import EndedSessions

if TYPE_CHECKING:
    from redis import Redis

LIVE, ENDED = b"1", b"0"

VERSION_BYTES = 8
VERSION_LIFETIME = 24 * 3600
"""Seconds that a version is kept: far longer than an answer, so that none outlives its version."""

log = structlog.get_logger(__name__)


class RedisUserCache:
    """Asks Redis; while Redis is away the database says which sessions have ended, and nothing is kept.

    A user's keys carry `{user id}`, so that a cluster has them in one slot and one MGET reads them all. A version is a
    random text, never used twice: a counter that was lost and began again could bring an old answer back.

    What Redis says of a session is "live" or "ended"; where it says nothing, as after it has lost all it had, the
    database is asked once.

    Args:
        client: a client with short time-outs.
        session_lifetime: seconds that a session is known for: as long as its access tokens live.
        sessions: who answers while Redis is away.
    """

    def __init__(self, client: "Redis", session_lifetime: int, sessions: EndedSessions) -> None:
        from redis import RedisError

        self._client = client
        self._session_lifetime = session_lifetime
        self._sessions = sessions
        self._breaker = Breaker(RedisError)
        self._unsaid: set[UUID] = set()
        self._unsaid_lock = threading.Lock()

    def look(self, user_id: UUID, session_id: UUID, name: str | None) -> Look:
        try:
            return self._breaker.call(lambda: self._look(user_id, session_id, name))
        except AwayError as error:
            log.warning("redis away, asking the database", error=str(error))
            return Look(self._sessions.ended(user_id, session_id))

    def _look(self, user_id: UUID, session_id: UUID, name: str | None) -> Look:
        if self._unsaid:
            self._say(self._take_unsaid())
        keys = (_key(user_id, f"session:{session_id}"), _key(user_id, "version"), _key(user_id, f"answer:{name}"))
        session, version, kept = cast("list[bytes | None]", self._client.mget(keys))
        if session is None:
            session = self._learn(user_id, session_id)
        if session == ENDED:
            return Look(denied=True)
        if version is None:
            return Look(denied=False, version=self._first_version(user_id))
        current = kept is not None and kept.startswith(version)
        return Look(denied=False, version=version, body=kept[len(version) :] if kept and current else None)

    def _learn(self, user_id: UUID, session_id: UUID) -> bytes:
        """Ask the database for a session that Redis knows nothing of; who ends it meanwhile has the last word."""
        found = ENDED if self._sessions.ended(user_id, session_id) else LIVE
        key = _key(user_id, f"session:{session_id}")
        there = self._client.set(key, found, ex=self._session_lifetime, nx=True, get=True)
        return cast("bytes | None", there) or found

    def _first_version(self, user_id: UUID) -> bytes:
        fresh = _fresh_version()
        key = _key(user_id, "version")
        there = self._client.set(key, fresh, ex=VERSION_LIFETIME, nx=True, get=True)
        return cast("bytes | None", there) or fresh

    def keep(self, user_id: UUID, version: bytes, name: str, body: bytes) -> None:
        if len(body) > LARGEST:
            return
        key = _key(user_id, f"answer:{name}")
        try:
            self._breaker.call(lambda: self._client.set(key, version + body, ex=LIFETIME))
        except AwayError as error:
            log.warning("redis away, an answer is not kept", error=str(error))

    def deny(self, user_id: UUID, session_id: UUID) -> None:
        key = _key(user_id, f"session:{session_id}")
        try:
            self._breaker.call(lambda: self._client.set(key, ENDED, ex=self._session_lifetime))
        except AwayError as error:
            raise UnavailableError("Logging out is not possible at the moment.") from error

    def changed(self, users: Iterable[UUID]) -> None:
        """Let no answer count that was made before these users' data changed. To be called after the commit."""
        touched = set(users)
        try:
            self._breaker.call(lambda: self._say(touched))
        except AwayError as error:
            # Answers can't be read while Redis is away. Before the next one is, this is made up for.
            with self._unsaid_lock:
                self._unsaid |= touched
            log.warning("redis away, a change is told later", error=str(error))

    def _take_unsaid(self) -> set[UUID]:
        with self._unsaid_lock:
            taken, self._unsaid = self._unsaid, set()
        return taken

    def _say(self, users: set[UUID]) -> None:
        try:
            for user_id in users:
                self._client.set(_key(user_id, "version"), _fresh_version(), ex=VERSION_LIFETIME)
        except Exception:
            with self._unsaid_lock:
                self._unsaid |= users
            raise


def _fresh_version() -> bytes:
    return secrets.token_hex(VERSION_BYTES).encode()


def _key(user_id: UUID, what: str) -> str:
    return f"task-manager:{{{user_id}}}:{what}"
