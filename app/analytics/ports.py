"""Ports of the analytics service."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from app.analytics.model import Day, Duration, Finished, Totals
from app.analytics.read_model import Fact


class Facts(Protocol):
    """What is known of tasks, one fact a task; and counts by the day of those that are gone."""

    def add(self, facts: Sequence[Fact]) -> set[UUID]:
        """Store facts of tasks of which nothing is known, and return which these were."""

    def lock(self, task_ids: Collection[UUID]) -> list[Fact]:
        """Return what is known of tasks, and hold it until the transaction ends."""

    def replace(self, fact: Fact) -> None: ...

    def totals(self, user_id: UUID, now: datetime) -> Totals:
        """Return how many tasks there are in each state, and how many are overdue."""

    def days(self, user_id: UUID, first: date, last: date) -> list[Day]:
        """Return the days on which anything was created or completed, in order."""

    def made(self, user_id: UUID, first: date, last: date) -> tuple[int, int]:
        """Return how many of the tasks that were created in these days are there, and how many of them are done."""

    def durations(self, user_id: UUID, first: date, last: date) -> Duration | None:
        """Return how long it took to complete what was completed in these days and is there; None if nothing was."""

    def completion_days(self, user_id: UUID, first: date, last: date) -> list[date]:
        """Return the days on which anything was completed, the latest first."""

    def finished(self, user_id: UUID, first: date, last: date, limit: int) -> list[Finished]:
        """Return what was completed in these days and is there, the latest first."""

    def roll_up(self, deleted_before: datetime, limit: int) -> int:
        """Turn facts of tasks that were deleted before a time into counts by the day; return how many."""

    def users(self, after: UUID | None, limit: int) -> list[UUID]:
        """Return users of whose tasks anything is known, in order, past one of them."""

    def active(self, users: Collection[UUID], first: date, last: date) -> list[UUID]:
        """Return those of the users who created or completed anything in these days."""


class ReportSubscriptions(Protocol):
    """A copy of who wants the weekly report."""

    def put(self, user_id: UUID, subscribed: bool, at: datetime) -> None:
        """Store what a user had chosen at a time, unless something later is known."""

    def among(self, users: Collection[UUID]) -> list[UUID]:
        """Return those of the users who want the report."""


class AnalyticsWork(Protocol):
    """The analytics tables within one transaction."""

    @property
    def facts(self) -> Facts: ...

    @property
    def subscriptions(self) -> ReportSubscriptions: ...


class AnalyticsStorage(Protocol):
    def read_of(self, user_id: UUID, *, snapshot: bool = False) -> AbstractContextManager[AnalyticsWork]:
        """Open a transaction that reads this user's data, perhaps of a replica; a snapshot shows one moment."""
