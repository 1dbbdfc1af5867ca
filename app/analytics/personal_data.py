"""Data export and erasure of a user's analytics."""

from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from app.analytics.model import Day
from app.core.personal_data import DataPage, json_file


class UsersFacts(Protocol):
    def days(self, user_id: UUID, first: date, last: date) -> list[Day]:
        """Return the days with a created or completed task, in order."""

    def delete_of(self, user_id: UUID, limit: int) -> int:
        """Delete up to `limit` facts of a user's tasks, or else daily counts; return the number of rows."""


class UsersSubscription(Protocol):
    def delete(self, user_id: UUID) -> int:
        """Delete a user's report subscription; return the number of rows."""


class PersonalWork(Protocol):
    @property
    def facts(self) -> UsersFacts: ...

    @property
    def subscriptions(self) -> UsersSubscription: ...


class StatisticsData:
    """Daily counts, including deleted tasks. All else is derived from the tasks, which their service exports."""

    def page(self, work: PersonalWork, user_id: UUID, _after: str | None) -> DataPage:
        return DataPage([json_file("statistics.json", work.facts.days(user_id, date.min, date.max))])


def erase(work: PersonalWork, user_id: UUID, _now: datetime, limit: int) -> int:
    """Delete the subscription and up to `limit` facts or counts of a user; return the number of rows."""
    return work.subscriptions.delete(user_id) + work.facts.delete_of(user_id, limit)
