"""What goes on beside the requests: jobs are done or announced, events carried on, what is old thrown away."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.jobs.loop import Loop
from app.jobs.runner import Runner
from app.jobs.service import KEPT
from app.platform.clock import Clock
from app.storage.work import SqlStorage, SqlWork

ANNOUNCED = 500
"""Jobs that are announced ahead of the workers: more would only be announced again before their turn comes."""

CLEANING = timedelta(hours=1)

JOBS_KEPT = timedelta(days=30)
"""How long jobs that have ended are listed, and their keys are not used again."""

JOBS_DROPPED = 500
"""Jobs that one transaction drops: each may have many refused lines."""

EVENTS_KEPT = timedelta(days=3)
"""How long events that have been carried on are kept, and the notes of who has handled them."""

NOTIFICATIONS_KEPT = timedelta(days=90)
"""How long people can look up what they have been told."""

EVENTS_DROPPED = 5_000
"""Events that one transaction drops: on SQLite no other can write meanwhile."""


class Inline:
    """Does the jobs in threads of this process. Of several such processes each job is done by one: it is claimed.

    Args:
        storage, runner, clock: where jobs are, and what does them.
        poll: seconds between looks for due jobs.
        sweep: deletes files that nothing refers to.
        beside: what goes on in threads of its own: a job may take hours.
    """

    def __init__(
        self,
        storage: SqlStorage,
        runner: Runner,
        clock: Clock,
        poll: float,
        sweep: Callable[[], None],
        beside: Sequence[Loop],
    ) -> None:
        self._storage = storage
        self._runner = runner
        self._clock = clock
        self._cleaner = Cleaner(storage, clock, sweep)
        self._loop = Loop("jobs", self.turn, poll)
        self._beside = (Loop("errands", self.run_errands, poll), *beside)

    def start(self) -> None:
        for loop in (self._loop, *self._beside):
            loop.start()

    def stop(self, seconds: float) -> None:
        """Let go of everything after its current step, and wait for the job's, but not longer than that."""
        self._runner.stop()
        for loop in self._beside:
            loop.end()
        self._loop.stop(seconds)

    def wake(self) -> None:
        """Look for jobs now."""
        self._loop.wake()

    def turn(self) -> bool:
        """Do the jobs that are due and may take long; say whether there were any."""
        worked = self._run(self._runner.lanes[0])
        self._cleaner.turn()
        return worked

    def run_errands(self) -> bool:
        """Do the jobs that are due and take moments; say whether there were any."""
        return self._run(self._runner.lanes[1])

    def _run(self, kinds: Collection[str]) -> bool:
        with self._storage.read() as work:
            due = work.jobs.due(self._clock(), kinds, 10)
        for job_id in due:
            self._runner.run(job_id)
        return bool(due)


class Announcer:
    """Tells the carrier of due jobs, and again of those that nobody has begun: a message may be lost.

    Args:
        send: hands a message over, for a job that has been begun before or not. What it raises rolls the note back that
            the jobs were announced.
        again: seconds after which a job that is still due is announced again.
    """

    def __init__(self, storage: SqlStorage, send: Callable[[UUID, bool], None], clock: Clock, again: float) -> None:
        self._storage = storage
        self._send = send
        self._clock = clock
        self._again = timedelta(seconds=again)

    def turn(self) -> bool:
        now = self._clock()
        with self._storage.write() as work:
            jobs = work.jobs.announce(now, now - self._again, ANNOUNCED)
            for job_id, begun in jobs:
                self._send(job_id, begun)
        return bool(jobs)


class Cleaner:
    """Throws away what is kept for a while only.

    Args:
        sweep: deletes files that nothing refers to.
    """

    def __init__(self, storage: SqlStorage, clock: Clock, sweep: Callable[[], None]) -> None:
        self._storage = storage
        self._clock = clock
        self._sweep = sweep
        self._next: datetime | None = None

    def turn(self) -> None:
        now = self._clock()
        if self._next is None or now >= self._next:
            self._next = now + CLEANING
            with self._storage.write() as work:
                work.files.drop_older(now - KEPT)
                work.resets.drop_expired(now)
                work.notifications.drop_older(now - NOTIFICATIONS_KEPT)
            self._drop(lambda work: work.jobs.drop_ended(now - JOBS_KEPT, now - KEPT, JOBS_DROPPED), JOBS_DROPPED)
            self._sweep()
            before = now - EVENTS_KEPT
            self._drop(lambda work: work.outbox.drop_carried(before, EVENTS_DROPPED), EVENTS_DROPPED)
            # After the events: the notes of who has handled them must outlive what could be carried once more.
            self._drop(lambda work: work.inbox.drop_handled(before, EVENTS_DROPPED), EVENTS_DROPPED)

    def _drop(self, some: Callable[[SqlWork], int], most: int) -> None:
        """Drop as many as there are, in transactions of at most so many each."""
        dropped = most
        while dropped == most:
            with self._storage.write() as work:
                dropped = some(work)
