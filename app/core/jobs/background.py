"""Background work: inline runner, announcer of due jobs to workers, and retention cleaner."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from app.core.clock import Clock
from app.core.database.retention import ExpiryRule, Rule, expire
from app.core.database.retries import run
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import MovedError
from app.core.jobs.polling_loop import PollingLoop, stop_all

AHEAD = 200
"""Maximum number of messages in the broker's queue: enough work until the announcer polls again."""

CLEANING = timedelta(hours=1)
"""Interval of the cleaner."""

BATCHES = 200
"""Batches that one cleaning deletes for each rule, and of files; the rest waits for the next cleaning."""


class JobRunner(Protocol):
    """Port of the job runner (app.core.jobs.runner)."""

    @property
    def lanes(self) -> Sequence[Collection[str]]: ...

    def run(self, job_id: UUID) -> object: ...

    def stop(self) -> None: ...


class Inline:
    """Runs jobs in threads of this process. With several such processes, each job is claimed by one of them.

    Args:
        storage, runner, clock: database of the jobs, their runner, and the time.
        poll: seconds between polls for due jobs.
        sweep, rules: as for Cleaner.
        beside: further loops, in threads of their own, since a job may take hours.
    """

    def __init__(
        self,
        storage: Storage[UnitOfWork],
        runner: JobRunner,
        clock: Clock,
        poll: float,
        sweep: Callable[[], bool],
        rules: Sequence[Rule],
        beside: Sequence[PollingLoop],
    ) -> None:
        self._storage = storage
        self._runner = runner
        self._clock = clock
        self._cleaner = Cleaner(storage, clock, sweep, rules)
        self._loop = PollingLoop("jobs", self.run_once, poll)
        self._started = False
        self._beside = (PollingLoop("short jobs", self.run_short_jobs, poll), *beside)

    def start(self) -> None:
        for loop in (self._loop, *self._beside):
            loop.start()
        self._started = True

    @property
    def alive(self) -> bool:
        """Whether no thread has died."""
        return not self._started or all(loop.alive for loop in (self._loop, *self._beside))

    def stop(self, seconds: float) -> None:
        """Stop all loops after their current step; wait at most `seconds` for it."""
        self._runner.stop()
        stop_all((self._loop, *self._beside), seconds)

    def wake(self) -> None:
        """Poll for due jobs at once."""
        self._loop.wake()

    def run_once(self) -> bool:
        """Run due jobs that may take long, and the cleaner; return whether there were any jobs."""
        worked = self._run(self._runner.lanes[0])
        self._cleaner.run_once()
        return worked

    def run_short_jobs(self) -> bool:
        """Run due jobs that are short; return whether there were any."""
        return self._run(self._runner.lanes[1])

    def _run(self, kinds: Collection[str]) -> bool:
        with self._storage.read() as work:
            due = work.jobs.due(self._clock(), kinds, 10)
        for job_id in due:
            self._runner.run(job_id)
        return bool(due)


class Transport(Protocol):
    """Message queue that delivers the ids of due jobs to workers."""

    def send(self, job_id: UUID, left: bool) -> None:
        """Send a message; with `left`, for a job whose worker's lease has expired, with priority."""

    def waiting(self) -> int:
        """Return the number of messages in the queue that no worker has consumed yet."""


class Announcer:
    """Announces due jobs to workers by messages, and again those that no worker has claimed: a message may be lost.

    The queue never holds more than about `AHEAD` messages, however many jobs are due: repeated messages for each
    waiting job would keep the workers busy discarding them.

    Args:
        transport: its exceptions roll back the record that the jobs were announced.
        kinds: kinds of jobs to announce; those of later releases are left to their announcers.
        repeat_after: seconds after which a job that is still due is announced again.
    """

    def __init__(
        self,
        storage: Storage[UnitOfWork],
        transport: Transport,
        kinds: Collection[str],
        clock: Clock,
        repeat_after: float,
    ) -> None:
        self._storage = storage
        self._transport = transport
        self._kinds = kinds
        self._clock = clock
        self._repeat_after = timedelta(seconds=repeat_after)

    def run_once(self) -> bool:
        """Announce as many due jobs as the queue has room for; return whether there were any."""
        room = max(AHEAD - self._transport.waiting(), 0)
        now = self._clock()
        with self._storage.write() as work:
            left, waiting = work.jobs.announce(now, self._kinds, now - self._repeat_after, room)
            for job_id in left:
                self._transport.send(job_id, True)
            for job_id in waiting:
                self._transport.send(job_id, False)
        return bool(left or waiting)


class Cleaner:
    """Applies the retention rules once an hour.

    Args:
        sweep: deletes a batch of unlinked files; returns whether there may be more.
        rules: retention rules of all tables.
    """

    def __init__(
        self, storage: Storage[UnitOfWork], clock: Clock, sweep: Callable[[], bool], rules: Sequence[Rule]
    ) -> None:
        self._rules = rules
        self._storage = storage
        self._clock = clock
        self._sweep = sweep
        self._next: datetime | None = None

    def run_once(self) -> None:
        """Delete expired rows and unlinked files, if the last cleaning was an hour ago or more."""
        now = self._clock()
        if self._next is None or now >= self._next:
            self._next = now + CLEANING
            for rule in self._rules:
                if isinstance(rule, ExpiryRule):
                    self._expire(rule, now)
            for _ in range(BATCHES):
                if not self._sweep():
                    break

    def _expire(self, rule: ExpiryRule, now: datetime) -> None:
        for _ in range(BATCHES):
            try:
                deleted = run(self._storage.write, lambda work: expire(work.session, rule, now))
            except MovedError:
                return  # of one service: the tables of others are still in use
            if deleted < rule.batch:
                return
