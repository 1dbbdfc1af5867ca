"""How far the database's log reached when the data of who asks was last changed.

The cache tells it with the version, in the request's one look; the storage asks for it when it looks for a replica. It
belongs to the request: a context variable, so that no rule in between has to carry it.
"""

from contextvars import ContextVar
from uuid import UUID

_known: ContextVar[tuple[UUID, int] | None] = ContextVar("known", default=None)


def remember(user_id: UUID, position: int | None) -> None:
    """Say how far a replica has to be to show all that this user has written; None when nobody knows."""
    _known.set(None if position is None else (user_id, position))


def forget() -> None:
    """Let the rest of the request read from the primary."""
    _known.set(None)


def of(user_id: UUID) -> int | None:
    """Return how far a replica has to be for this user, or None if it has to be the primary."""
    known = _known.get()
    return known[1] if known and known[0] == user_id else None
