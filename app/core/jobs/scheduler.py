"""Scheduler: queues one job for each period, with any number of scheduler processes."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.clock import Clock, NewId
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import MovedError
from app.core.jobs.model import Job

MONDAY = 0


@dataclass(frozen=True)
class Entry:
    """A daily or weekly job.

    Args:
        hour: hour of the day, in UTC.
        weekday: 0 for Monday; None for every day.
    """

    kind: str
    hour: int
    weekday: int | None = None

    def due(self, now: datetime) -> datetime:
        """Return the latest due time that is not after `now`."""
        due = now.replace(hour=self.hour, minute=0, second=0, microsecond=0)
        if due > now:
            due -= timedelta(days=1)
        return due if self.weekday is None else due - timedelta(days=(due.weekday() - self.weekday) % 7)


class Scheduler:
    """Queues due jobs.

    The job's unique key names its period, so that one of several schedulers queues it. A period that was missed while
    no scheduler ran is made up for, unless a later one has begun. Finished jobs are deleted after a week, and no period
    is longer than that.
    """

    def __init__(self, storage: Storage[UnitOfWork], schedule: Sequence[Entry], clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._schedule = schedule
        self._clock = clock
        self._new_id = new_id
        self._queued: dict[str, datetime] = {}

    def run_once(self) -> bool:
        """Queue due jobs. Returns False, so that the loop waits before the next poll."""
        now = self._clock()
        for entry in self._schedule:
            due = entry.due(now)
            if self._queued.get(entry.kind) != due:
                day = due.date().isoformat()
                job = Job(self._new_id(), None, entry.kind, now, parameters={"due": day})
                # A service that has moved queues its jobs itself.
                with suppress(MovedError), self._storage.write() as work:
                    work.jobs.add(job, unique_key=f"{entry.kind}:{day}")
                self._queued[entry.kind] = due
        return False
