"""Requests that have one effect however often they are sent (Idempotency-Key)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from app.platform.clock import Clock
from app.platform.errors import ConflictError, InvalidError
from app.services.tasks.model import OnceKey
from app.services.tasks.ports import TaskStorage, TaskWork

T = TypeVar("T")

REMEMBERED = timedelta(hours=24)
"""How long a request is known again."""


def once(
    storage: TaskStorage,
    user_id: UUID,
    key: OnceKey | None,
    make: Callable[[TaskWork], T],
    kind: type[T],
    clock: Clock,
) -> T:
    """Return what `make` returns in a transaction; what it returned then, if the user has sent this request before.

    Args:
        storage: where.
        user_id: whose request.
        key: the client's name for it; None has it done in any case.
        make: does it.
        kind: the type of its result, to be stored and read again.
        clock: the time.

    Raises:
        InvalidError: the key was used for another request.
    """
    if key is None:
        with storage.write() as work:
            return make(work)
    result: TypeAdapter[T] = TypeAdapter(kind)
    since = clock() - REMEMBERED
    try:
        with storage.write() as work:
            if (known := work.once.get(user_id, key.key, since)) is not None:
                return result.validate_python(_same(known, key))
            made = make(work)
            work.once.add(user_id, key, result.dump_python(made, mode="json"), clock())
            return made
    except ConflictError:
        # Another one of the same name was quicker; what was made here is undone.
        with storage.read() as work:
            known = work.once.get(user_id, key.key, since)
        if known is None:
            raise
        return result.validate_python(_same(known, key))


def _same(known: tuple[str, Any], key: OnceKey) -> Any:
    digest, result = known
    if digest != key.digest:
        raise InvalidError("Idempotency-Key", "was used for another request")
    return result
