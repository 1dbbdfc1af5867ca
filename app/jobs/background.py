"""What goes on beside the requests: jobs are done or announced, events carried on, what is old thrown away."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from app.jobs.loop import Loop
from app.jobs.runner import Runner
from app.jobs.service import KEPT
from app.platform.clock import Clock
from app.storage.work import SqlStorage

ANNOUNCED = 500
"""Jobs that are announced ahead of the workers: more would only be announced again before their turn comes."""

CLEANING = timedelta(hours=1)


class Inline:
    """Does the jobs in a thread of this process. Of several such processes each job is done by one: it is claimed."""

    def __init__(
        self, storage: SqlStorage, runner: Runner, clock: Clock, poll: float, sweep: Callable[[], None]
    ) -> None:
        self._storage = storage
        self._runner = runner
        self._clock = clock
        self._cleaner = Cleaner(storage, clock, sweep)
        self._loop = Loop("jobs", self.turn, poll)

    def start(self) -> None:
        self._loop.start()

    def stop(self, seconds: float) -> None:
        self._runner.stop()
        self._loop.stop(seconds)

    def wake(self) -> None:
        """Look for jobs now."""
        self._loop.wake()

    def turn(self) -> bool:
        """Do the jobs that are due; say whether there were any."""
        with self._storage.read() as work:
            due = work.jobs.due(self._clock(), 10)
        for job_id in due:
            self._runner.run(job_id)
        self._cleaner.turn()
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
            self._sweep()
