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
"""States of a session. Behind "live" stands when the database was last asked, in seconds since 1970."""

CONFIRMED = 30
"""Seconds for which a session is taken to be live without asking the database. A server of Redis that takes over may
lack what the former one acknowledged last, as that a session has ended."""

ASKED = 5
"""Seconds after which the database is asked once more when it has not answered. Meanwhile Redis is believed."""

PATIENCE = 0.5
"""Seconds of nothing but failures after which Redis is taken to be away. A machine that is short of processor, as while
a database fails over, lets a few requests time out together, and answers the next."""

VERSION_BYTES = 8
POSITION_DIGITS = 16
VERSION_LIFETIME = 24 * 3600
"""Seconds that a version is kept: far longer than an answer, so that none outlives its version."""

CHANGE = """
local there = redis.call('GET', KEYS[1])
local position = ARGV[2]
if there and #there >= #ARGV[1] + #position then
    local former = string.sub(there, #ARGV[1] + 1, #ARGV[1] + #position)
    if former > position then position = former end
end
redis.call('SET', KEYS[1], ARGV[1] .. position, 'EX', ARGV[3])
"""
"""Gives a user a new version, with the farther one of two positions: of two commits the later may be told first."""

UNSETTLED = b"?"
"""Ends a version whose user's last COMMIT had no answer: its position is that of what was acknowledged before."""

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
"""Gives a user a new version that is not settled; none where no position is known."""

REPLACE = """
local there = redis.call('GET', KEYS[1])
if there ~= ARGV[1] then return there end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return ARGV[2]
"""
"""Replaces a value, unless it is another one by now, and returns what it is."""

COUNT_AND_LOOK = f"{COUNT} return {{current, ends, unpack(redis.call('mget', KEYS[2], KEYS[3], KEYS[4]))}}"
"""Counts in KEYS[1], and reads the rest."""

log = structlog.get_logger(__name__)


class RedisUserCache:
    """Asks Redis; while Redis is away the database says which sessions have ended, and nothing is kept.

    A user's keys carry `{user id}`, so that a cluster has them in one slot and one MGET reads them all. A version is a
    random text, never used twice: a counter that was lost and began again could bring an old answer back. Behind it
    stands how far the database's log reached after the change, in hexadecimal digits: a replica has to be there. While
    nobody knows whether a change is stored, replicas are read by the position of what was acknowledged before, and no
    answer is kept, until the primary says how far the log reaches.

    What Redis says of a session is "live" or "ended". The truth is in the database, which is asked where Redis says
    nothing, and every half minute whether a live session still is.

    Args:
        client: one with short time-outs.
        session_lifetime: seconds that a session is known for: as long as its access tokens live.
        sessions: who answers while Redis is away.
        position: says how far the database's log reaches now.
    """

    def __init__(
        self, client: "Redis", session_lifetime: int, sessions: SessionStates, position: Callable[[], int | None]
    ) -> None:
        from redis import RedisError

        self._client = client
        self._session_lifetime = session_lifetime
        self._sessions = sessions
        self._position = position
        self._change = client.register_script(CHANGE)
        self._unsettle = client.register_script(UNSETTLE)
        self._replace = client.register_script(REPLACE)
        self._count_and_look = client.register_script(COUNT_AND_LOOK)
        self._failures = RedisError
        self._circuit = CircuitBreaker("redis", client.ping, patience=PATIENCE)
        self._unsent: set[UUID] = set()
        self._unsent_lock = threading.Lock()

    def _asked(self, command: Callable[[], T]) -> T:
        """Return what Redis answers. Raises AwayError."""
        return self._circuit.call(command, self._failures)

    def lookup(self, user_id: UUID, session_id: UUID, name: str | None) -> CacheLookup:
        try:
            return self._asked(lambda: self._lookup(user_id, session_id, name))
        except AwayError as error:
            log.warning("redis away, asking the database", error=str(error))
            return CacheLookup(self._sessions.ended(user_id, session_id))

    def count_and_lookup(
        self, rate: Rate, user_id: UUID, session_id: UUID, name: str
    ) -> tuple[Counted, CacheLookup | None] | None:
        def ask() -> tuple[Counted, CacheLookup | None]:
            self._send_pending()
            keys = [rate.key, *_keys(user_id, session_id, name)]
            current, ends, session, version, kept = self._count_and_look(keys, [rate.seconds, 1])
            # What Redis does not know the database does, and that may fail: `look` is asked where errors are answered.
            unknown = session is None or _outdated(session) or not _settled(version)
            look = None if unknown else self._look_at(user_id, session_id, session, version, kept)
            return Counted(current, ends), look

        try:
            return self._asked(ask)
        except AwayError:
            return None

    def _lookup(self, user_id: UUID, session_id: UUID, name: str | None) -> CacheLookup:
        self._send_pending()
        found = cast("list[bytes | None]", self._client.mget(_keys(user_id, session_id, name)))
        return self._look_at(user_id, session_id, *found)

    def _look_at(
        self, user_id: UUID, session_id: UUID, session: bytes | None, version: bytes | None, kept: bytes | None
    ) -> CacheLookup:
        if session is None:
            session = self._learn(user_id, session_id)
        elif _outdated(session):
            session = self._confirm(user_id, session_id, session)
        if session == ENDED:
            return CacheLookup(denied=True)
        if not _settled(version):
            version, kept = self._next_version(user_id, version), None
        if version is None or not _settled(version):
            return CacheLookup(denied=False, position=_position(version or b""))
        current = kept is not None and kept.startswith(version)
        body = kept[len(version) :] if kept and current else None
        return CacheLookup(denied=False, version=version, body=body, position=_position(version))

    def _learn(self, user_id: UUID, session_id: UUID) -> bytes:
        """Ask the database for a session that Redis knows nothing of; who ends it meanwhile has the last word."""
        found = ENDED if self._sessions.ended(user_id, session_id) else _live()
        key = _key(user_id, f"session:{session_id}")
        there = self._client.set(key, found, ex=self._session_lifetime, nx=True, get=True)
        return cast("bytes | None", there) or found

    def _confirm(self, user_id: UUID, session_id: UUID, session: bytes) -> bytes:
        """Ask the database whether a session is still live; of many requests one asks.

        While the database does not say, Redis is believed: reads go on during a failover of the database.
        """
        keys = [_key(user_id, f"session:{session_id}")]
        asking = _live(CONFIRMED - ASKED)
        there = self._replace(keys=keys, args=[session, asking, self._session_lifetime])
        if there != asking:
            return cast("bytes | None", there) or session
        try:
            ended = self._sessions.ended(user_id, session_id)
        except UnavailableError as error:
            log.warning("session not confirmed", session_id=str(session_id), reason=str(error))
            return asking
        if ended:
            log.warning("an ended session was live in redis", session_id=str(session_id))
            self._client.set(keys[0], ENDED, ex=self._session_lifetime)
            return ENDED
        return cast("bytes", self._replace(keys=keys, args=[asking, _live(), self._session_lifetime]) or asking)

    def _next_version(self, user_id: UUID, former: bytes | None) -> bytes | None:
        """Give a user without a settled version one whose position lies behind whatever they may have written.

        Returns:
            The version that is current then: the former one while the primary does not say how far its log reaches.
        """
        position = self._position()
        if position is None:
            return former
        fresh = _fresh_version() + _digits(position)
        key = _key(user_id, "version")
        if former is None:  # Redis may have lost it
            there = self._client.set(key, fresh, ex=VERSION_LIFETIME, nx=True, get=True)
        else:
            there = self._replace(keys=[key], args=[former, fresh, VERSION_LIFETIME])
        return cast("bytes | None", there) or fresh

    def store(self, user_id: UUID, version: bytes, name: str, body: bytes) -> None:
        if len(body) > LARGEST:
            return
        key = _key(user_id, f"answer:{name}")
        try:
            self._asked(lambda: self._client.set(key, version + body, ex=LIFETIME))
        except AwayError as error:
            log.warning("redis away, an answer is not kept", error=str(error))

    def deny(self, user_id: UUID, session_id: UUID) -> None:
        key = _key(user_id, f"session:{session_id}")
        try:
            self._asked(lambda: self._client.set(key, ENDED, ex=self._session_lifetime))
        except AwayError as error:
            raise UnavailableError("Logging out is not possible at the moment.") from error

    def changed(self, users: Iterable[UUID], position: int | None) -> None:
        """Let no answer count that was made before these users' data changed. To be called after the commit.

        Args:
            users: whose data.
            position: how far the database's log reached after the commit; None if nobody knows whether it is stored.
        """
        touched = set(users)
        try:
            self._asked(lambda: self._send_changes(touched, position))
        except AwayError as error:
            # Answers can't be read while Redis is away. Before the next one is, this is made up for.
            with self._unsent_lock:
                self._unsent |= touched
            log.warning("redis away, a change is told later", error=str(error))

    def _send_pending(self) -> None:
        """Tell of the changes that could not be told while Redis was away: the next look makes a first version."""
        if self._unsent:
            with self._unsent_lock:
                taken, self._unsent = self._unsent, set()
            self._for_each(taken, self._client.delete)

    def _send_changes(self, users: set[UUID], position: int | None) -> None:
        """Give users a new version, which is not settled without a position."""
        fresh = _fresh_version()
        if position is None:
            arguments: list[bytes | int] = [fresh, POSITION_DIGITS, UNSETTLED, VERSION_LIFETIME]
            self._for_each(users, lambda key: self._unsettle(keys=[key], args=arguments))
        else:
            changes: list[bytes | int] = [fresh, _digits(position), VERSION_LIFETIME]
            self._for_each(users, lambda key: self._change(keys=[key], args=changes))

    def _for_each(self, users: set[UUID], command: Callable[[str], object]) -> None:
        """Run a command for the version of each of some users, of whom all count as not told of when one fails."""
        try:
            for user_id in users:
                command(_key(user_id, "version"))
        except Exception:
            with self._unsent_lock:
                self._unsent |= users
            raise


def _live(age: int = 0) -> bytes:
    """Return the state of a session that was live when the database was asked, `age` seconds ago."""
    return LIVE + str(int(time.time()) - age).encode()


def _outdated(session: bytes) -> bool:
    """Tell whether the database has to be asked for a live session. One of a release that noted no time is outdated."""
    asked = session[len(LIVE) :]
    return session != ENDED and not (asked.isdigit() and abs(time.time() - int(asked)) < CONFIRMED)


def _fresh_version() -> bytes:
    return secrets.token_hex(VERSION_BYTES).encode()


def _digits(position: int) -> bytes:
    return f"{position:0{POSITION_DIGITS}x}".encode()


def _settled(version: bytes | None) -> bool:
    return version is not None and not version.endswith(UNSETTLED)


def _position(version: bytes) -> int | None:
    """Return the position of a version; None for one of a release that wrote none."""
    digits = version.removesuffix(UNSETTLED)[2 * VERSION_BYTES :]
    return int(digits, 16) if len(digits) == POSITION_DIGITS else None


def _keys(user_id: UUID, session_id: UUID, name: str | None) -> tuple[str, str, str]:
    own = _key(user_id, "")
    return f"{own}session:{session_id}", f"{own}version", f"{own}answer:{name}"


def _key(user_id: UUID, what: str) -> str:
    return f"task-manager:{{{user_id}}}:{what}"
