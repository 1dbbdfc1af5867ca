"""Dead letters: jobs and event deliveries that have failed permanently."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol
from uuid import UUID

from app.core.clock import Clock
from app.core.database.retries import retried
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import NotFoundError
from app.core.jobs.model import DeadLetter

MOST = 100_000
"""Most messages of a queue among which a dead letter is looked for."""


class Messages(Protocol):
    """Messages that nobody else gets meanwhile."""

    @property
    def letters(self) -> list[DeadLetter]: ...

    def requeue(self, ids: Collection[UUID] | None) -> set[UUID]: ...


class MessageQueue(Protocol):
    """Dead-letter queue of a broker (app.core.events.dead_letter_queue)."""

    @property
    def kind(self) -> str: ...

    def held(self, limit: int) -> AbstractContextManager[Messages]: ...


class DeadLetters:
    """Lists and requeues dead-lettered jobs, event deliveries and messages.

    Args:
        queues: dead-letter queues of a broker, if there is one.
    """

    def __init__(self, storage: Storage[UnitOfWork], clock: Clock, queues: Sequence[MessageQueue] = ()) -> None:
        self._storage = storage
        self._clock = clock
        self._queues = queues

    @retried
    def find(self, kind: str | None, limit: int) -> list[DeadLetter]:
        """Return up to `limit` dead letters, the latest first.

        Args:
            kind: kind of a job, or name of a consumer of events or of a queue; None for all.
        """
        with self._storage.read() as work:
            letters = [*work.jobs.dead_letters(kind, limit), *work.inbox.dead_letters(kind, limit)]
        for queue in self._of(kind):
            with queue.held(limit) as messages:
                letters += messages.letters
        return sorted(letters, key=lambda letter: letter.at, reverse=True)[:limit]

    @retried
    def requeue(self, ids: Collection[UUID] | None, kind: str | None) -> int:
        """Requeue dead letters with all their attempts; return the number requeued.

        Args:
            ids: ids of jobs, events and messages; None for all of a kind.
            kind: as for `find`.

        Raises:
            NotFoundError: an id is not that of a dead letter. Then none is requeued.
        """
        with self._storage.write() as work, ExitStack() as stack:
            requeued = work.jobs.requeue(ids, kind, self._clock()) | work.inbox.requeue(ids, kind, self._clock())
            # At last what no transaction takes back, and only if nothing is missing.
            missing = set(ids or ()) - requeued
            held = [stack.enter_context(queue.held(MOST)) for queue in self._of(kind)]
            if absent := missing - {letter.id for messages in held for letter in messages.letters}:
                raise NotFoundError(f"no dead letter: {', '.join(sorted(map(str, absent)))}")
            for messages in held:
                requeued |= messages.requeue(missing if ids else None)
        return len(requeued)

    def _of(self, kind: str | None) -> list[MessageQueue]:
        return [queue for queue in self._queues if kind in (None, queue.kind)]
