"""Session state, user versions and cached responses in Redis: one round trip a request."""

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar, cast
from uuid import UUID

import structlog

from app.core.cache.interface import LARGEST, LIFETIME, CacheLookup, SessionStates
from app.core.cache.rate_counters import COUNT, Counted, Rate
from app.core.database.circuit_breaker import AwayError, CircuitBreaker
from app.core.errors import UnavailableError

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

ENDED, LIVE = b"0", b"1"
"""Session states. LIVE is followed by the time of the last check in the database, seconds since 1970."""

CONFIRMED = 30
"""Seconds for which a live session is not checked in the database. After a failover of Redis the promoted replica may
lack the last acknowledged writes, such as the end of a session."""

ASKED = 5
"""Seconds until the check is retried when the database has not answered. Meanwhile the state in Redis counts."""

PATIENCE = 0.5
"""Seconds of uninterrupted failures until the circuit breaker opens. On a machine short of CPU, as during a database
failover, a few requests time out together and the next ones succeed."""

VERSION_BYTES = 8
POSITION_DIGITS = 16
VERSION_LIFETIME = 24 * 3600
"""Time to live of a version, seconds: far longer than a response's, so that none outlives its version."""

CHANGE = """
local there = redis.call('GET', KEYS[1])
local position = ARGV[2]
if there and #there >= #ARGV[1] + #position then
    local former = string.sub(there, #ARGV[1] + 1, #ARGV[1] + #position)
    if former > position then position = former end
end
redis.call('SET', KEYS[1], ARGV[1] .. position, 'EX', ARGV[3])
"""
"""Sets a new version with the higher of the two LSNs: commits may be reported out of order."""

UNSETTLED = b"?"
"""Suffix of a version whose user's last COMMIT got no reply: its LSN is that of the last acknowledged commit."""

UNSETTLE = """
local there = redis.call('GET', KEYS[1])
local digits = tonumber(ARGV[2])
if there and #there >= #ARGV[1] + digits then
    local position = string.sub(there, #ARGV[1] + 1, #ARGV[1] + digits)
    redis.call('SET', KEYS[1], ARGV[1] .. position .. ARGV[3], 'EX', ARGV[4])
else
    redis.call('DEL', KEYS[1])
end
"""
"""Sets a new unsettled version; deletes the version where no LSN is known."""

REPLACE = """
local there = redis.call('GET', KEYS[1])
if there ~= ARGV[1] then return there end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return ARGV[2]
"""
"""Compare-and-set of KEYS[1]; returns the value that it then has."""

COUNT_AND_LOOK = f"{COUNT} return {{current, ends, unpack(redis.call('mget', KEYS[2], KEYS[3], KEYS[4]))}}"
"""Counts the request in KEYS[1], and reads session, version and response."""

log = structlog.get_logger(__name__)


class RedisUserCache:
    """Session states and cached responses in Redis.

    While Redis is unavailable, sessions are checked in the database, and nothing is cached.

    A user's keys have the hash tag `{user id}`, so they share one slot of a Redis Cluster and one MGET reads them all.
    A version is random and never reused: a counter that was lost and restarted could revive an old response. It ends
    with the commit LSN of the change, in hexadecimal digits, which a replica has to have replayed. While the outcome of
    a commit is unknown, replicas are read by the LSN of the last acknowledged commit, and no response is cached, until
    the primary reports its current LSN.

    A session is "live" or "ended" in Redis. The source of truth is the database: it is read where Redis has no entry,
    and a live session is confirmed there every CONFIRMED seconds.

    Args:
        client: a client with short time-outs.
        session_lifetime: time to live of a session's entry, seconds: the lifetime of access tokens.
        sessions: session states in the database.
        position: returns the primary's current LSN; None if it is unavailable.
        prefix: of all keys.
    """

    def __init__(
        self,
        client: "Redis",
        session_lifetime: int,
        sessions: SessionStates,
        position: Callable[[], int | None],
        prefix: str = "",
    ) -> None:
        from redis import RedisError

        self._client = client
        self._prefix = prefix
        self._session_lifetime = session_lifetime
        self._sessions = sessions
        self._position = position
        self._change = client.register_script(CHANGE)
        self._unsettle = client.register_script(UNSETTLE)
        self._replace = client.register_script(REPLACE)
        self._count_and_look = client.register_script(COUNT_AND_LOOK)
        self._failures = RedisError
        self._circuit = CircuitBreaker("redis", client.ping, patience=PATIENCE)
        self._pending: set[UUID] = set()
        self._pending_lock = threading.Lock()

    def _call(self, command: Callable[[], T]) -> T:
        """Run a command through the circuit breaker. Raises AwayError."""
        return self._circuit.call(command, self._failures)

    def lookup(self, user_id: UUID, session_id: UUID, name: str | None) -> CacheLookup:
        try:
            return self._call(lambda: self._lookup(user_id, session_id, name))
        except AwayError as error:
            log.warning("redis unavailable, checking the session in the database", error=str(error))
            return CacheLookup(self._sessions.ended(user_id, session_id))

    def count_and_lookup(
        self, rate: Rate, user_id: UUID, session_id: UUID, name: str
    ) -> tuple[Counted, CacheLookup | None] | None:
        def count() -> tuple[Counted, CacheLookup | None]:
            self._send_pending()
            keys = [rate.key, *self._keys(user_id, session_id, name)]
            current, ends, session, version, cached = self._count_and_look(keys, [rate.seconds, 1])
            # What is missing in Redis needs the database, which may fail: `lookup` does it, where Flask handles errors.
            incomplete = session is None or _outdated(session) or not _settled(version)
            result = None if incomplete else self._evaluate(user_id, session_id, session, version, cached)
            return Counted(current, ends), result

        try:
            return self._call(count)
        except AwayError:
            return None

    def _lookup(self, user_id: UUID, session_id: UUID, name: str | None) -> CacheLookup:
        self._send_pending()
        values = cast("list[bytes | None]", self._client.mget(self._keys(user_id, session_id, name)))
        return self._evaluate(user_id, session_id, *values)

    def _evaluate(
        self, user_id: UUID, session_id: UUID, session: bytes | None, version: bytes | None, cached: bytes | None
    ) -> CacheLookup:
        if session is None:
            session = self._load_session(user_id, session_id)
        elif _outdated(session):
            session = self._confirm(user_id, session_id, session)
        if session == ENDED:
            return CacheLookup(denied=True)
        if not _settled(version):
            version, cached = self._next_version(user_id, version), None
        if version is None or not _settled(version):
            return CacheLookup(denied=False, position=_position(version or b""))
        current = cached is not None and cached.startswith(version)
        body = cached[len(version) :] if cached and current else None
        return CacheLookup(denied=False, version=version, body=body, position=_position(version))

    def _load_session(self, user_id: UUID, session_id: UUID) -> bytes:
        """Load a session state from the database into Redis, unless another request has set it meanwhile."""
        state = ENDED if self._sessions.ended(user_id, session_id) else _live()
        key = self._key(user_id, f"session:{session_id}")
        stored = self._client.set(key, state, ex=self._session_lifetime, nx=True, get=True)
        return cast("bytes | None", stored) or state

    def _confirm(self, user_id: UUID, session_id: UUID, session: bytes) -> bytes:
        """Confirm in the database that a session is still live; of concurrent requests one does so.

        While the database is unavailable the state in Redis counts: reads go on during a failover of the database.
        """
        keys = [self._key(user_id, f"session:{session_id}")]
        checking = _live(CONFIRMED - ASKED)
        stored = self._replace(keys=keys, args=[session, checking, self._session_lifetime])
        if stored != checking:
            return cast("bytes | None", stored) or session
        try:
            ended = self._sessions.ended(user_id, session_id)
        except UnavailableError as error:
            log.warning("session not confirmed", session_id=str(session_id), reason=str(error))
            return checking
        if ended:
            log.warning("ended session was live in redis", session_id=str(session_id))
            self._client.set(keys[0], ENDED, ex=self._session_lifetime)
            return ENDED
        return cast("bytes", self._replace(keys=keys, args=[checking, _live(), self._session_lifetime]) or checking)

    def _next_version(self, user_id: UUID, former: bytes | None) -> bytes | None:
        """Replace a missing or unsettled version by one with the primary's current LSN, which covers all writes before.

        Returns:
            The current version: the former one while the primary is unavailable.
        """
        position = self._position()
        if position is None:
            return former
        fresh = _fresh_version() + _digits(position)
        key = self._key(user_id, "version")
        if former is None:  # Redis may have lost it
            stored = self._client.set(key, fresh, ex=VERSION_LIFETIME, nx=True, get=True)
        else:
            stored = self._replace(keys=[key], args=[former, fresh, VERSION_LIFETIME])
        return cast("bytes | None", stored) or fresh

    def store(self, user_id: UUID, version: bytes, name: str, body: bytes) -> None:
        if len(body) > LARGEST:
            return
        key = self._key(user_id, f"answer:{name}")
        try:
            self._call(lambda: self._client.set(key, version + body, ex=LIFETIME))
        except AwayError as error:
            log.warning("redis unavailable, response not cached", error=str(error))

    def deny(self, user_id: UUID, session_id: UUID) -> None:
        key = self._key(user_id, f"session:{session_id}")
        try:
            self._call(lambda: self._client.set(key, ENDED, ex=self._session_lifetime))
        except AwayError as error:
            raise UnavailableError("Logging out is not possible at the moment.") from error

    def changed(self, users: Iterable[UUID], position: int | None) -> None:
        """Invalidate the cached responses of users whose data has changed. To be called after the commit.

        Args:
            users: the users whose data has changed.
            position: LSN after the commit; None if the outcome of the commit is unknown.
        """
        touched = set(users)
        try:
            self._call(lambda: self._send_changes(touched, position))
        except AwayError as error:
            # Cached responses can't be read meanwhile either; the invalidation is sent before the next lookup.
            with self._pending_lock:
                self._pending |= touched
            log.warning("redis unavailable, invalidation pending", error=str(error))

    def _send_pending(self) -> None:
        """Send pending invalidations: without a version, the next lookup makes a new one."""
        if self._pending:
            with self._pending_lock:
                taken, self._pending = self._pending, set()
            self._for_each(taken, self._client.delete)

    def _send_changes(self, users: set[UUID], position: int | None) -> None:
        """Set a new version for each user; without an LSN it is unsettled."""
        fresh = _fresh_version()
        if position is None:
            arguments: list[bytes | int] = [fresh, POSITION_DIGITS, UNSETTLED, VERSION_LIFETIME]
            self._for_each(users, lambda key: self._unsettle(keys=[key], args=arguments))
        else:
            changes: list[bytes | int] = [fresh, _digits(position), VERSION_LIFETIME]
            self._for_each(users, lambda key: self._change(keys=[key], args=changes))

    def _for_each(self, users: set[UUID], command: Callable[[str], object]) -> None:
        """Run a command for the version key of each user; if one fails, all of them become pending."""
        try:
            for user_id in users:
                command(self._key(user_id, "version"))
        except Exception:
            with self._pending_lock:
                self._pending |= users
            raise

    def _keys(self, user_id: UUID, session_id: UUID, name: str | None) -> tuple[str, str, str]:
        own = self._key(user_id, "")
        return f"{own}session:{session_id}", f"{own}version", f"{own}answer:{name}"

    def _key(self, user_id: UUID, what: str) -> str:
        return f"{self._prefix}task-manager:{{{user_id}}}:{what}"


def _live(age: int = 0) -> bytes:
    """Return the state of a session that was confirmed live `age` seconds ago."""
    return LIVE + str(int(time.time()) - age).encode()


def _outdated(session: bytes) -> bool:
    """Return whether a live session has to be confirmed; always, if a former release stored no time."""
    confirmed = session[len(LIVE) :]
    return session != ENDED and not (confirmed.isdigit() and abs(time.time() - int(confirmed)) < CONFIRMED)


def _fresh_version() -> bytes:
    return secrets.token_hex(VERSION_BYTES).encode()


def _digits(position: int) -> bytes:
    return f"{position:0{POSITION_DIGITS}x}".encode()


def _settled(version: bytes | None) -> bool:
    return version is not None and not version.endswith(UNSETTLED)


def _position(version: bytes) -> int | None:
    """Return the LSN of a version; None if a former release stored none."""
    digits = version.removesuffix(UNSETTLED)[2 * VERSION_BYTES :]
    return int(digits, 16) if len(digits) == POSITION_DIGITS else None
