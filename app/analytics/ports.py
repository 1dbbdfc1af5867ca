"""Ports of the analytics service."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from app.analytics.model import Day, Duration, Finished, Totals
from app.analytics.read_model import Fact


class Facts(Protocol):
    """Facts, one per task; and daily counts of tasks deleted long ago."""

    def add(self, facts: Sequence[Fact]) -> set[UUID]:
        """Insert facts of unknown tasks, and return the ids of these tasks."""

    def lock(self, task_ids: Collection[UUID]) -> list[Fact]:
        """Return facts with their rows locked."""

    def replace(self, fact: Fact) -> None: ...

    def totals(self, user_id: UUID, now: datetime) -> Totals:
        """Return the number of tasks by status, and of overdue ones."""

    def days(self, user_id: UUID, first: date, last: date) -> list[Day]:
        """Return the days with a created or completed task, in order."""

    def made(self, user_id: UUID, first: date, last: date) -> tuple[int, int]:
        """Return the number of existing tasks created in a range of days, and of done ones among them."""

    def durations(self, user_id: UUID, first: date, last: date) -> Duration | None:
        """Return the duration to completion of existing tasks completed in a range of days; None if none."""

    def completion_days(self, user_id: UUID, first: date, last: date) -> list[date]:
        """Return the days with a completed task, latest first."""

    def finished(self, user_id: UUID, first: date, last: date, limit: int) -> list[Finished]:
        """Return up to `limit` existing tasks completed in a range of days, latest first."""

    def roll_up(self, deleted_before: datetime, limit: int) -> int:
        """Aggregate up to `limit` facts of tasks deleted before a time into daily counts; return their number."""

    def users(self, after: UUID | None, limit: int) -> list[UUID]:
        """Return up to `limit` users with facts, ordered by id, past `after`."""

    def active(self, users: Collection[UUID], first: date, last: date) -> list[UUID]:
        """Return those of the users who created or completed a task in a range of days."""


class ReportSubscriptions(Protocol):
    """Subscriptions of the weekly report, a projection of the mail preferences."""

    def put(self, user_id: UUID, subscribed: bool, at: datetime) -> None:
        """Upsert a user's subscription as of a time, unless a later state is stored."""

    def among(self, users: Collection[UUID]) -> list[UUID]:
        """Return the subscribers among the users."""


class AnalyticsWork(Protocol):
    """The analytics tables within one transaction."""

    @property
    def facts(self) -> Facts: ...

    @property
    def subscriptions(self) -> ReportSubscriptions: ...


class AnalyticsStorage(Protocol):
    def read_of(self, user_id: UUID, *, snapshot: bool = False) -> AbstractContextManager[AnalyticsWork]:
        """Open a read-only transaction with read-your-writes, perhaps on a replica, or one with a single snapshot."""
