"""Background work: inline runner, announcer for workers, and cleaner."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from app.core.clock import Clock
from app.core.database.retention import ExpiryRule, Rule, expire
from app.core.database.retries import run
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.jobs.polling_loop import PollingLoop

AHEAD = 200
"""Messages that wait for workers at most: what the workers do until the announcer looks again."""

CLEANING = timedelta(hours=1)

BATCHES = 200
"""Batches of a kind of rows, and of files, that one cleaning deletes: what is left waits for the next."""


class JobRunner(Protocol):
    """Does jobs, as app.core.jobs.runner does."""

    @property
    def lanes(self) -> Sequence[Collection[str]]: ...

    def run(self, job_id: UUID) -> object: ...

    def stop(self) -> None: ...


class Inline:
    """Does the jobs in threads of this process. Of several such processes each job is done by one: it is claimed.

    Args:
        storage, runner, clock: where jobs are, and what does them.
        poll: seconds between looks for due jobs.
        sweep, rules: as for Cleaner.
        beside: what goes on in threads of its own: a job may take hours.
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
        self._beside = (PollingLoop("errands", self.run_short_jobs, poll), *beside)

    def start(self) -> None:
        for loop in (self._loop, *self._beside):
            loop.start()
        self._started = True

    @property
    def alive(self) -> bool:
        """Whether no thread of it has died."""
        return not self._started or all(loop.alive for loop in (self._loop, *self._beside))

    def stop(self, seconds: float) -> None:
        """Let go of everything after its current step, and wait for the job's, but not longer than that."""
        self._runner.stop()
        for loop in self._beside:
            loop.end()
        self._loop.stop(seconds)

    def wake(self) -> None:
        """Look for jobs now."""
        self._loop.wake()

    def run_once(self) -> bool:
        """Do the jobs that are due and may take long; say whether there were any."""
        worked = self._run(self._runner.lanes[0])
        self._cleaner.run_once()
        return worked

    def run_short_jobs(self) -> bool:
        """Do the jobs that are due and take moments; say whether there were any."""
        return self._run(self._runner.lanes[1])

    def _run(self, kinds: Collection[str]) -> bool:
        with self._storage.read() as work:
            due = work.jobs.due(self._clock(), kinds, 10)
        for job_id in due:
            self._runner.run(job_id)
        return bool(due)


class Transport(Protocol):
    """Carries messages that name jobs to the workers."""

    def send(self, job_id: UUID, left: bool) -> None:
        """Hand a message over; one for a job that a worker has left behind overtakes the others."""

    def waiting(self) -> int:
        """Return how many messages no worker has taken yet."""


class Announcer:
    """Tells the workers of due jobs, and again of those that nobody has begun: a message may be lost.

    However many jobs wait, there are never more messages than `AHEAD`: with a message again and again for each job that
    waits long, the workers would come to do little but throw them away.

    Args:
        carrier: what it raises rolls the note back that the jobs were announced.
        kinds: of jobs; of others tells who knows them.
        again: seconds after which a job that is still due is announced again.
    """

    def __init__(
        self, storage: Storage[UnitOfWork], carrier: Transport, kinds: Collection[str], clock: Clock, again: float
    ) -> None:
        self._storage = storage
        self._carrier = carrier
        self._kinds = kinds
        self._clock = clock
        self._again = timedelta(seconds=again)

    def run_once(self) -> bool:
        """Announce what there is room for; say whether there was anything."""
        room = max(AHEAD - self._carrier.waiting(), 0)
        now = self._clock()
        with self._storage.write() as work:
            left, waiting = work.jobs.announce(now, self._kinds, now - self._again, room)
            for job_id in left:
                self._carrier.send(job_id, True)
            for job_id in waiting:
                self._carrier.send(job_id, False)
        return bool(left or waiting)


class Cleaner:
    """Applies the retention rules, once an hour.

    Args:
        sweep: deletes a batch of files that nothing refers to; says whether there may be more.
        rules: of all tables.
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
            if run(self._storage.write, lambda work: expire(work.session, rule, now)) < rule.batch:
                return
