"""Idempotency keys: a request that is repeated under its key has no second effect."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from app.core.clock import Clock
from app.core.database.retries import retried
from app.core.errors import ConflictError, InvalidError

T = TypeVar("T")

RETENTION = timedelta(hours=24)
"""How long a key is remembered."""


@dataclass(frozen=True)
class IdempotencyKey:
    """A client's own name for a request, unique among the requests of one user."""

    key: str
    digest: str
    """SHA-256 of the request, in hexadecimal: the same key for another request is a mistake."""


class IdempotencyKeys(Protocol):
    """The keys of all users, each with the result of its request."""

    def get(self, user_id: UUID, key: str, since: datetime) -> tuple[str, Any] | None:
        """Return digest and result of the request with that key, if it is not older than `since`."""

    def add(self, user_id: UUID, key: IdempotencyKey, result: Any, now: datetime) -> None:
        """Store the result, a JSON value. Raises ConflictError if the key has been used meanwhile."""


class KeyedWork(Protocol):
    """A transaction that can store idempotency keys."""

    @property
    def idempotency_keys(self) -> IdempotencyKeys: ...


Work = TypeVar("Work", bound=KeyedWork, covariant=True)


class KeyedStorage(Protocol[Work]):
    def read(self) -> AbstractContextManager[Work]:
        """Open a transaction that only reads."""

    def write(self) -> AbstractContextManager[Work]:
        """Open a transaction that commits when its block ends well."""


@retried
def idempotent(
    storage: KeyedStorage[Work],
    user_id: UUID,
    key: IdempotencyKey | None,
    action: Callable[[Work], T],
    kind: type[T],
    clock: Clock,
) -> T:
    """Run an action in a transaction, or return the stored result of an earlier request with the same key.

    Args:
        storage: where.
        user_id: whose request.
        key: of the request; None runs the action in any case.
        action: what the request does.
        kind: the type of its result, to be stored and read again.
        clock: the time.

    Raises:
        InvalidError: the key was used for another request.
    """
    if key is None:
        with storage.write() as work:
            return action(work)
    try:
        with storage.write() as work:
            if (stored := stored_result(work, user_id, key, kind, clock)) is not None:
                return stored
            result = action(work)
            work.idempotency_keys.add(user_id, key, TypeAdapter(kind).dump_python(result, mode="json"), clock())
            return result
    except ConflictError:
        # Another request with the same key was quicker; what was done here is rolled back.
        with storage.read() as work:
            stored = stored_result(work, user_id, key, kind, clock)
        if stored is None:
            raise
        return stored


def stored_result(work: KeyedWork, user_id: UUID, key: IdempotencyKey, kind: type[T], clock: Clock) -> T | None:
    """Return the result of an earlier request with the same key; None if there was none.

    Arguments and errors are those of `idempotent`.
    """
    if (stored := work.idempotency_keys.get(user_id, key.key, clock() - RETENTION)) is None:
        return None
    digest, result = stored
    if digest != key.digest:
        raise InvalidError("Idempotency-Key", "was used for another request")
    return TypeAdapter(kind).validate_python(result)
