"""Sessions whose access tokens are refused: asked of the database, or of Redis when there is one."""

from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from app.platform.errors import UnavailableError
from app.storage.work import SqlStorage

if TYPE_CHECKING:
    from redis import Redis

log = structlog.get_logger(__name__)


class DatabaseDenylist:
    """A session is denied once it has ended, or when nobody knows it: the auth service's own table is the list, so it
    outlives a restart and is one for all processes."""

    def __init__(self, storage: SqlStorage) -> None:
        self._storage = storage

    def deny(self, user_id: UUID, session_id: UUID) -> None:
        """Nothing to do: ending the session, which the caller does, is the entry."""

    def denied(self, user_id: UUID, session_id: UUID) -> bool:
        with self._storage.read() as work:
            session = work.sessions.get(session_id)
        return session is None or session.user_id != user_id or session.revoked_at is not None


class RedisDenylist:
    """Asks Redis, and the database while Redis is away.

    Args:
        client: a client with short time-outs.
        lifetime: seconds that an entry is kept: as long as an access token lives.
        fallback: who answers while Redis is away.
    """

    def __init__(self, client: "Redis", lifetime: int, fallback: DatabaseDenylist) -> None:
        self._client = client
        self._lifetime = lifetime
        self._fallback = fallback

    def deny(self, user_id: UUID, session_id: UUID) -> None:
        """Refuse the session from now on. Raises UnavailableError when Redis can't take the entry."""
        from redis import RedisError

        try:
            self._client.set(_key(user_id, session_id), b"1", ex=self._lifetime)
        except RedisError as error:
            raise UnavailableError("Logging out is not possible at the moment.") from error

    def denied(self, user_id: UUID, session_id: UUID) -> bool:
        from redis import RedisError

        try:
            return bool(self._client.exists(_key(user_id, session_id)))
        except RedisError as error:
            log.warning("redis away, asking the database", error=type(error).__name__)
            return self._fallback.denied(user_id, session_id)


def _key(user_id: UUID, session_id: UUID) -> str:
    # The braces keep all keys of a user in one slot of a cluster.
    return f"task-manager:{{{user_id}}}:denied:{session_id}"
