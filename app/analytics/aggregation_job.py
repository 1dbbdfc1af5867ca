"""Nightly aggregation job: facts of tasks deleted long ago become daily counts."""

from datetime import timedelta

from app.analytics.unit_of_work import AnalyticsUnitOfWork
from app.core.clock import Clock
from app.core.jobs.model import Job, Step

KEPT = timedelta(days=30)
"""How long a deleted task is still known by itself: an event that comes later would count it as a new one."""

BATCH = 1000


class AggregateFacts:
    """Rolls facts up, a batch a step. A night that was missed is made up for by the next: all that is old goes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def step(self, work: AnalyticsUnitOfWork, job: Job) -> Step:
        count = work.facts.roll_up(self._clock() - KEPT, BATCH)
        done = job.done + count
        return Step(finished=count < BATCH, done=done, total=done if count < BATCH else None)
