"""Nightly aggregation job: facts of tasks deleted long ago become daily counts."""

from datetime import timedelta

from app.analytics.unit_of_work import AnalyticsUnitOfWork
from app.core.clock import Clock
from app.core.jobs.model import Job, Step

KEPT = timedelta(days=30)
"""How long the fact of a deleted task is kept: an event that arrives later would count it as a new task."""

BATCH = 1000


class AggregateFacts:
    """Rolls facts up, a batch per step. A missed night is made up for by the next, which takes all old facts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def step(self, work: AnalyticsUnitOfWork, job: Job) -> Step:
        count = work.facts.roll_up(self._clock() - KEPT, BATCH)
        done = job.done + count
        return Step(finished=count < BATCH, done=done, total=done if count < BATCH else None)
