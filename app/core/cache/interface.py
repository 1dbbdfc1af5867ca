"""Ports of the response cache and of session state: one lookup a request."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from prometheus_client import Counter

from app.core.cache.rate_counters import Counted, Rate

LIFETIME = 60
"""Seconds that an answer is kept (specification, section 2)."""

LARGEST = 256 * 1024
"""Bytes of an answer that is still kept."""

LOOKUPS = ("hit", "miss", "error")


@dataclass(frozen=True)
class CacheLookup:
    """What one look has shown.

    Attributes:
        denied: the session has ended, or nobody knows it.
        version: of the user's data, read before whatever the answer will be made from: an answer is kept under it, and
            counts only while it is the current one. None when nothing can be kept.
        body: the answer, when it is there and current.
        position: how far the database's log has to be replayed to show data of this version; None when nobody knows.
    """

    denied: bool
    version: bytes | None = None
    body: bytes | None = None
    position: int | None = None


class UserCache(Protocol):
    def lookup(self, user_id: UUID, session_id: UUID, name: str | None) -> CacheLookup:
        """Look for the session and for the answer of that name; without a name, for the session alone."""

    def store(self, user_id: UUID, version: bytes, name: str, body: bytes) -> None:
        """Keep an answer that was made from data of this version or a later one."""

    def deny(self, user_id: UUID, session_id: UUID) -> None:
        """Refuse the session from now on. Raises UnavailableError when that can't be made sure."""


class SessionStates(Protocol):
    """What the service that owns sessions says of them. Both raise UnavailableError."""

    def ended(self, user_id: UUID, session_id: UUID) -> bool:
        """Tell whether the session has ended, or is none of this user's."""

    def version(self, user_id: UUID, session_id: UUID) -> int | None:
        """Return the version of what the user sees, or None when the session has ended or is none of this user's."""


class CountingCache(Protocol):
    def count_and_lookup(
        self, rate: Rate, user_id: UUID, session_id: UUID, name: str
    ) -> tuple[Counted, CacheLookup | None] | None:
        """Count a request, and look for the session and for the answer of that name, in one go.

        Nothing else is asked, nor raised: without a Look, `look` may find out more. None when the cache is away: then
        the request is not counted.
        """


def lookup_counter() -> Counter:
    """Return a counter of looks for answers, by what came of them, that no registry knows yet."""
    counter = Counter("task_manager_cache_lookups", "Looks for a kept answer", ["result"], registry=None)
    for result in LOOKUPS:
        counter.labels(result)
    return counter
