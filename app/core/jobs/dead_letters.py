"""Dead letters: jobs and event deliveries that have failed permanently."""

from collections.abc import Collection
from uuid import UUID

from app.core.clock import Clock
from app.core.database.retries import retried
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import NotFoundError
from app.core.jobs.model import DeadLetter


class DeadLetters:
    """Lists and requeues dead-lettered jobs and event deliveries."""

    def __init__(self, storage: Storage[UnitOfWork], clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    @retried
    def find(self, kind: str | None, limit: int) -> list[DeadLetter]:
        """Return up to `limit` dead letters, the latest first.

        Args:
            kind: kind of a job, or name of a consumer of events; None for all.
        """
        with self._storage.read() as work:
            letters = [*work.jobs.dead_letters(kind, limit), *work.inbox.dead_letters(kind, limit)]
        return sorted(letters, key=lambda letter: letter.at, reverse=True)[:limit]

    @retried
    def requeue(self, ids: Collection[UUID] | None, kind: str | None) -> int:
        """Requeue dead letters with all their attempts; return the number requeued.

        Args:
            ids: ids of jobs and events; None for all of a kind.
            kind: as for `find`.

        Raises:
            NotFoundError: an id is not that of a dead letter. Then none is requeued.
        """
        with self._storage.write() as work:
            requeued = work.jobs.requeue(ids, kind, self._clock()) | work.inbox.requeue(ids, kind, self._clock())
            if missing := set(ids or ()) - requeued:
                raise NotFoundError(f"no dead letter: {', '.join(sorted(map(str, missing)))}")
        return len(requeued)
