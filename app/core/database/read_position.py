"""The caller's last commit LSN, for read-your-writes.

The cache tells it with the version, in the request's one look; the storage asks for it when it looks for a replica. It
belongs to the request: a context variable, so that no rule in between has to carry it.
"""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from uuid import UUID


@dataclass(frozen=True)
class _Known:
    user_id: UUID
    position: int
    primary_first: bool = False


_known: ContextVar[_Known | None] = ContextVar("known", default=None)


def remember(user_id: UUID, position: int | None) -> None:
    """Say how far a replica has to be to show all that this user has written; None when nobody knows."""
    _known.set(None if position is None else _Known(user_id, position))


def clear() -> None:
    """Let the rest of the request read from the primary."""
    _known.set(None)


def prefer_primary() -> None:
    """Let the rest of the request ask a replica only if the primary is away."""
    if known := _known.get():
        _known.set(replace(known, primary_first=True))


def required_position(user_id: UUID, *, primary_away: bool = False) -> int | None:
    """Return how far a replica has to be for this user, or None if it has to be the primary.

    Args:
        user_id: whose data is read.
        primary_away: the primary has been asked in vain.
    """
    known = _known.get()
    if known is None or known.user_id != user_id or (known.primary_first and not primary_away):
        return None
    return known.position
