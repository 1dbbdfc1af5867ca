"""Domain model of the analytics service. Days are UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Day:
    """How many tasks were created and completed on a day, those included that have been deleted since."""

    date: date
    created: int = 0
    completed: int = 0


@dataclass(frozen=True)
class Totals:
    """How many tasks there are in each state, and how many of the open ones are past their due date."""

    todo: int = 0
    in_progress: int = 0
    done: int = 0
    overdue: int = 0


@dataclass(frozen=True)
class Duration:
    """Seconds from creation to completion, over several tasks."""

    median: float
    mean: float


@dataclass(frozen=True)
class Finished:
    """A task that was completed."""

    title: str
    at: datetime


@dataclass(frozen=True)
class Statistics:
    """What came of somebody's tasks.

    Args:
        first, last: the days that are counted, both included.
        totals: of now.
        days: each day of them, in order.
        completion_rate: of the tasks that were created in these days and are there, the share that is done, from 0 to
            1; None if there are none.
        duration: of what was completed in these days and is there; None if nothing was.
        streak: how many days in a row, up to today, or to yesterday while today has none, something was completed.
    """

    first: date
    last: date
    totals: Totals
    days: Sequence[Day]
    completion_rate: float | None
    duration: Duration | None
    streak: int

    @property
    def created(self) -> int:
        return sum(day.created for day in self.days)

    @property
    def completed(self) -> int:
        return sum(day.completed for day in self.days)
