"""Domain model of the analytics service. Days are UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Day:
    """Tasks created and completed on a day, including those deleted since."""

    date: date
    created: int = 0
    completed: int = 0


@dataclass(frozen=True)
class Totals:
    """Tasks by status, and open tasks past their due date."""

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
    """Statistics of a user's tasks in a range of days.

    Args:
        first, last: the range, both included.
        totals: current totals, whatever the range.
        days: one entry per day of the range, in order.
        completion_rate: share of done tasks, from 0 to 1, among existing tasks created in the range; None if none.
        duration: of existing tasks completed in the range; None if none.
        streak: consecutive days with a completion, up to today, or to yesterday while today has none.
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
