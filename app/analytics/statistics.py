"""Statistics of a user's tasks."""

from datetime import date, timedelta
from itertools import takewhile
from uuid import UUID

from app.analytics.model import Day, Statistics
from app.analytics.ports import AnalyticsStorage, AnalyticsWork
from app.core.clock import Clock
from app.core.database.retries import retried

LONGEST_STREAK = 366
"""Longest streak counted, in days."""


class StatisticsService:
    def __init__(self, storage: AnalyticsStorage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def today(self) -> date:
        """Return the current day, in UTC."""
        return self._clock().date()

    @retried
    def statistics(self, user_id: UUID, first: date, last: date) -> Statistics:
        """Return the statistics of this user's tasks in a range of days, both included.

        Eventually consistent: events of the latest changes may not have been processed yet.
        """
        with self._storage.read_of(user_id, snapshot=True) as work:
            return statistics(work, user_id, first, last, self._clock)


def statistics(work: AnalyticsWork, user_id: UUID, first: date, last: date, clock: Clock) -> Statistics:
    """Return the statistics within a transaction. Arguments are those of `StatisticsService.statistics`."""
    now = clock()
    made, done = work.facts.made(user_id, first, last)
    counted = {day.date: day for day in work.facts.days(user_id, first, last)}
    dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return Statistics(
        first=first,
        last=last,
        totals=work.facts.totals(user_id, now),
        days=[counted.get(date, Day(date)) for date in dates],
        completion_rate=done / made if made else None,
        duration=work.facts.durations(user_id, first, last),
        streak=_streak(work, user_id, now.date()),
    )


def _streak(work: AnalyticsWork, user_id: UUID, today: date) -> int:
    days = work.facts.completion_days(user_id, today - timedelta(days=LONGEST_STREAK), today)
    start = today if days[:1] == [today] else today - timedelta(days=1)
    return len(list(takewhile(lambda pair: pair[1] == start - timedelta(days=pair[0]), enumerate(days))))
