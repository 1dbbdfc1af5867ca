"""Ports of the response cache and of session states: one lookup a request."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from prometheus_client import Counter

from app.core.cache.rate_counters import Counted, Rate

LIFETIME = 60
"""Time to live of a cached response, seconds (specification, section 2)."""

LARGEST = 256 * 1024
"""Maximum size of a cached response, bytes."""

LOOKUPS = ("hit", "miss", "error")
"""Values of the `result` label of the lookup counter."""


@dataclass(frozen=True)
class CacheLookup:
    """The result of a cache lookup.

    Attributes:
        denied: the session has ended, or does not exist.
        version: version of the user's data, read before the data itself: a response is stored under it, and is valid
            only while it is current. None when no response can be cached.
        body: the cached response, if there is a current one.
        position: commit LSN of this version, which a replica has to have replayed; None if it is unknown.
    """

    denied: bool
    version: bytes | None = None
    body: bytes | None = None
    position: int | None = None


class UserCache(Protocol):
    def lookup(self, user_id: UUID, session_id: UUID, name: str | None) -> CacheLookup:
        """Look up the session and the cached response of that name; without a name, the session alone."""

    def store(self, user_id: UUID, version: bytes, name: str, body: bytes) -> None:
        """Cache a response made from data of this version or a later one."""

    def deny(self, user_id: UUID, session_id: UUID) -> None:
        """Deny the session from now on. Raises UnavailableError if that can't be stored."""


class SessionStates(Protocol):
    """Session states, from the service that owns sessions. Both methods raise UnavailableError."""

    def ended(self, user_id: UUID, session_id: UUID) -> bool:
        """Return whether the session has ended, or is not this user's."""

    def version(self, user_id: UUID, session_id: UUID) -> int | None:
        """Return the version of the user's data, or None if the session has ended or is not this user's."""


class CountingCache(Protocol):
    """A cache that also counts requests for the rate limit."""

    def count_and_lookup(
        self, rate: Rate, user_id: UUID, session_id: UUID, name: str
    ) -> tuple[Counted, CacheLookup | None] | None:
        """Count a request, and look up the session and the cached response of that name, in one round trip.

        Does not fall back to the database, and raises nothing: where there is no CacheLookup, `lookup` may find out
        more. None if the cache is unavailable: then the request is not counted.
        """


def lookup_counter() -> Counter:
    """Return a new counter of cache lookups, by result, not yet in a registry."""
    counter = Counter("task_manager_cache_lookups", "Response cache lookups", ["result"], registry=None)
    for result in LOOKUPS:
        counter.labels(result)
    return counter
