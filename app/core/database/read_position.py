"""The caller's last commit LSN, for read-your-writes.

The cache lookup of the request returns it with the user version; the storage reads it to choose a replica. It is a
context variable of the request, so that the services in between need not pass it on.
"""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from uuid import UUID


@dataclass(frozen=True)
class _CallerPosition:
    user_id: UUID
    position: int
    primary_first: bool = False


_current: ContextVar[_CallerPosition | None] = ContextVar("read_position", default=None)


def remember(user_id: UUID, position: int | None) -> None:
    """Set the LSN that a replica must have replayed to show all writes of this user; None if it is unknown."""
    _current.set(None if position is None else _CallerPosition(user_id, position))


def clear() -> None:
    """Read from the primary for the rest of the request."""
    _current.set(None)


def prefer_primary() -> None:
    """Read from a replica only if the primary is unavailable, for the rest of the request."""
    if current := _current.get():
        _current.set(replace(current, primary_first=True))


def required_position(user_id: UUID, *, primary_away: bool = False) -> int | None:
    """Return the LSN that a replica must have replayed for this user, or None to read from the primary.

    Args:
        user_id: user whose data is read.
        primary_away: whether the primary did not answer.
    """
    current = _current.get()
    if current is None or current.user_id != user_id or (current.primary_first and not primary_away):
        return None
    return current.position
