"""Dead letters: jobs and deliveries that were given up."""

from collections.abc import Collection
from uuid import UUID

from app.core.clock import Clock
from app.core.database.retries import retried
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import NotFoundError
from app.core.jobs.model import DeadLetter


class DeadLetters:
    """Jobs and deliveries of events that were given up."""

    def __init__(self, storage: Storage[UnitOfWork], clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    @retried
    def find(self, kind: str | None, limit: int) -> list[DeadLetter]:
        """Return up to `limit` of them, the latest first.

        Args:
            kind: of a job, or a consumer of events; None for all.
        """
        with self._storage.read() as work:
            letters = [*work.jobs.dead_letters(kind, limit), *work.inbox.dead_letters(kind, limit)]
        return sorted(letters, key=lambda letter: letter.at, reverse=True)[:limit]

    @retried
    def requeue(self, ids: Collection[UUID] | None, kind: str | None) -> int:
        """Let them be tried again, as often as if they were new, and return how many.

        Args:
            ids: of jobs and events; None for all of a kind.
            kind: as for `find`.

        Raises:
            NotFoundError: one of the identifiers is no dead letter's. Then none is revived.
        """
        with self._storage.write() as work:
            revived = work.jobs.requeue(ids, kind, self._clock()) | work.inbox.requeue(ids, kind, self._clock())
            if missing := set(ids or ()) - revived:
                raise NotFoundError(f"no dead letter: {', '.join(sorted(map(str, missing)))}")
        return len(revived)
