"""Idempotency keys: a retry with the same key has no second effect."""

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
"""How long a key is stored."""


@dataclass(frozen=True)
class IdempotencyKey:
    """A key that the client makes for a request, unique per user."""

    key: str
    digest: str
    """SHA-256 of the request, in hexadecimal, to reject the same key for another request."""


class IdempotencyKeys(Protocol):
    """Repository of idempotency keys, each with the result of its request."""

    def get(self, user_id: UUID, key: str, since: datetime) -> tuple[str, Any] | None:
        """Return digest and result of the request with that key, unless older than `since`."""

    def add(self, user_id: UUID, key: IdempotencyKey, result: Any, now: datetime) -> None:
        """Store the result, a JSON value. Raises ConflictError if a concurrent request has used the key."""


class KeyedWork(Protocol):
    """A transaction that can store idempotency keys."""

    @property
    def idempotency_keys(self) -> IdempotencyKeys: ...


Work = TypeVar("Work", bound=KeyedWork, covariant=True)


class KeyedStorage(Protocol[Work]):
    def read(self) -> AbstractContextManager[Work]:
        """Open a read-only transaction."""

    def write(self) -> AbstractContextManager[Work]:
        """Open a transaction that commits unless its block raises."""


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
        storage: opens the transactions.
        user_id: the caller.
        key: of the request; None runs the action unconditionally.
        action: performs the request in the transaction.
        kind: the type of its result, for serialisation.
        clock: the current time.

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
        # A concurrent request with the same key has committed first; this one is rolled back.
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
