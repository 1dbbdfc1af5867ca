"""Scheduler: one job a period, however many processes look at the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.clock import Clock, NewId
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.jobs.model import Job

MONDAY = 0


@dataclass(frozen=True)
class Entry:
    """A kind of job, and when it is due.

    Args:
        hour: of the day, in UTC.
        weekday: 0 for Monday; None for every day.
    """

    kind: str
    hour: int
    weekday: int | None = None

    def due(self, now: datetime) -> datetime:
        """Return when it was last due."""
        due = now.replace(hour=self.hour, minute=0, second=0, microsecond=0)
        if due > now:
            due -= timedelta(days=1)
        return due if self.weekday is None else due - timedelta(days=(due.weekday() - self.weekday) % 7)


class Scheduler:
    """Queues what is due. A period's name is the job's unique key, so of many schedulers one queues it; a period that
    nobody was there for is made up for as soon as somebody is, unless a later one has begun. Jobs are forgotten a week
    after they are done, and no period is longer."""

    def __init__(self, storage: Storage[UnitOfWork], schedule: Sequence[Entry], clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._schedule = schedule
        self._clock = clock
        self._new_id = new_id
        self._queued: dict[str, datetime] = {}

    def run_once(self) -> bool:
        """Queue what is due; say whether to look again at once, which there is no reason to."""
        now = self._clock()
        for entry in self._schedule:
            due = entry.due(now)
            if self._queued.get(entry.kind) != due:
                day = due.date().isoformat()
                job = Job(self._new_id(), None, entry.kind, now, parameters={"due": day})
                with self._storage.write() as work:
                    work.jobs.add(job, unique_key=f"{entry.kind}:{day}")
                self._queued[entry.kind] = due
        return False
