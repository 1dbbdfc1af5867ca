"""Weekly report: a week compared with the week before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.analytics.model import Finished, Statistics
from app.analytics.ports import AnalyticsStorage, AnalyticsWork
from app.analytics.statistics import statistics
from app.analytics.week import Week
from app.core.clock import Clock
from app.core.database.retries import retried

MOST_TITLES = 20
"""Most completed tasks listed, so that a report stays within a page or two."""


@dataclass(frozen=True)
class WeeklyReport:
    """Figures of a week.

    Args:
        of: statistics of the week.
        created_before, completed_before: numbers of the week before.
        finished: the latest completed tasks, MOST_TITLES at most.
    """

    week: Week
    made_at: datetime
    of: Statistics
    created_before: int
    completed_before: int
    finished: Sequence[Finished]

    @property
    def peak(self) -> int:
        """Maximum of the daily figures, at least 1: scale of the chart."""
        return max(1, *(max(day.created, day.completed) for day in self.of.days))


class ReportService:
    def __init__(self, storage: AnalyticsStorage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def this_week(self) -> Week:
        """Return the current week, in UTC."""
        return Week.containing(self._clock().date())

    @retried
    def weekly(self, user_id: UUID, week: Week) -> WeeklyReport:
        """Return the report of a week of this user."""
        with self._storage.read_of(user_id, snapshot=True) as work:
            return weekly(work, user_id, week, self._clock)


def weekly(work: AnalyticsWork, user_id: UUID, week: Week, clock: Clock) -> WeeklyReport:
    """Return the report within a transaction. Arguments are those of `ReportService.weekly`."""
    before = work.facts.days(user_id, week.before.monday, week.before.sunday)
    return WeeklyReport(
        week=week,
        made_at=clock(),
        of=statistics(work, user_id, week.monday, week.sunday, clock),
        created_before=sum(day.created for day in before),
        completed_before=sum(day.completed for day in before),
        finished=work.facts.finished(user_id, week.monday, week.sunday, MOST_TITLES),
    )
