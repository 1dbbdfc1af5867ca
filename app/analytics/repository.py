"""Repositories of the analytics service."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, case, delete, func, or_, select, union, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.analytics.model import Day, Duration, Finished, Totals
from app.analytics.read_model import DONE, Fact
from app.analytics.tables import DailyCountRow, ReportSubscriptionRow, TaskFactRow
from app.core.database.batches import delete_some
from app.core.database.row_count import changed
from app.core.database.upsert import insert_into
from app.core.database.user_versions import touch

FIELDS = tuple(field.name for field in fields(Fact))
DERIVED = ("created_on", "completed_on", "seconds_to_completion")
DayColumn = InstrumentedAttribute[date] | InstrumentedAttribute[date | None]
THERE = TaskFactRow.deleted_at.is_(None)


class SqlFacts:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, facts: Sequence[Fact]) -> set[UUID]:
        # Sorted, here and in `lock`, against deadlocks of concurrent events of the same tasks.
        rows = [_values(fact) for fact in sorted(facts, key=lambda fact: fact.task_id)]
        statement = insert_into(self._session, TaskFactRow).on_conflict_do_nothing(index_elements=["task_id"])
        added = set(self._session.scalars(statement.returning(TaskFactRow.task_id), rows)) if rows else set()
        for user_id in {fact.user_id for fact in facts if fact.task_id in added}:
            touch(self._session, user_id)
        return added

    def lock(self, task_ids: Collection[UUID]) -> list[Fact]:
        if not task_ids:
            return []
        columns = [getattr(TaskFactRow, name) for name in FIELDS]
        statement = select(*columns).where(TaskFactRow.task_id.in_(task_ids)).order_by(TaskFactRow.task_id)
        return [Fact(*row) for row in self._session.execute(statement.with_for_update())]

    def replace(self, fact: Fact) -> None:
        touch(self._session, fact.user_id)
        self._session.execute(update(TaskFactRow).where(TaskFactRow.task_id == fact.task_id).values(**_values(fact)))

    def totals(self, user_id: UUID, now: datetime) -> Totals:
        late = func.sum(case((TaskFactRow.due_at < now, 1), else_=0))
        statement = select(TaskFactRow.status, func.count(), late).where(TaskFactRow.user_id == user_id, THERE)
        rows = self._session.execute(statement.group_by(TaskFactRow.status)).all()
        counts = {status: count for status, count, _ in rows}
        return Totals(**counts, overdue=sum(overdue for status, _, overdue in rows if status != DONE))

    def days(self, user_id: UUID, first: date, last: date) -> list[Day]:
        created: Counter[date] = Counter(self._by_day(TaskFactRow.created_on, user_id, first, last))
        completed: Counter[date] = Counter(self._by_day(TaskFactRow.completed_on, user_id, first, last))
        rolled_up = select(DailyCountRow).where(*_within(DailyCountRow.day, user_id, first, last))
        for row in self._session.scalars(rolled_up):
            created[row.day] += row.created
            completed[row.day] += row.completed
        return [Day(day, created[day], completed[day]) for day in sorted({*created, *completed})]

    def made(self, user_id: UUID, first: date, last: date) -> tuple[int, int]:
        done = func.count().filter(TaskFactRow.status == DONE)
        created = _within(TaskFactRow.created_on, user_id, first, last)
        made, finished = self._session.execute(select(func.count(), done).where(*created, THERE)).one()
        return made, finished

    def durations(self, user_id: UUID, first: date, last: date) -> Duration | None:
        seconds = TaskFactRow.seconds_to_completion
        completed = _within(TaskFactRow.completed_on, user_id, first, last)
        timed = (*completed, THERE, seconds.is_not(None))
        number, mean = self._session.execute(select(func.count(), func.avg(seconds)).where(*timed)).one()
        if not number:
            return None
        # the one or two middle rows: SQLite has no percentile functions
        middle = select(seconds).where(*timed).order_by(seconds).offset((number - 1) // 2).limit(2 - number % 2)
        found = [float(value or 0) for value in self._session.scalars(middle)]
        if not found:  # a job reads without a snapshot: rows may be deleted in between
            return None
        return Duration(sum(found) / len(found), float(mean))

    def completion_days(self, user_id: UUID, first: date, last: date) -> list[date]:
        day = TaskFactRow.completed_on
        facts = select(day.label("day")).where(*_within(day, user_id, first, last))
        counts = select(DailyCountRow.day).where(*_within(DailyCountRow.day, user_id, first, last))
        either = union(facts, counts.where(DailyCountRow.completed > 0)).subquery()
        return list(self._session.scalars(select(either.c.day).order_by(either.c.day.desc())))

    def finished(self, user_id: UUID, first: date, last: date, limit: int) -> list[Finished]:
        completed = _within(TaskFactRow.completed_on, user_id, first, last)
        statement = select(TaskFactRow.title, TaskFactRow.completed_at).where(*completed, THERE)
        latest = statement.order_by(TaskFactRow.completed_at.desc(), TaskFactRow.task_id).limit(limit)
        return [Finished(title, at) for title, at in self._session.execute(latest) if at]

    def roll_up(self, deleted_before: datetime, limit: int) -> int:
        old = select(TaskFactRow.task_id).where(TaskFactRow.deleted_at < deleted_before).limit(limit)
        gone = delete(TaskFactRow).where(TaskFactRow.task_id.in_(old.with_for_update(skip_locked=True)))
        counted = gone.returning(TaskFactRow.user_id, TaskFactRow.created_on, TaskFactRow.completed_on)
        rows = self._session.execute(counted).all()
        created = Counter((row.user_id, row.created_on) for row in rows)
        completed = Counter((row.user_id, row.completed_on) for row in rows if row.completed_on)
        for user_id, day in sorted({*created, *completed}):
            self._count(user_id, day, created[user_id, day], completed[user_id, day])
        return len(rows)

    def delete_of(self, user_id: UUID, limit: int) -> int:
        facts = delete_some(self._session, TaskFactRow, limit, TaskFactRow.user_id == user_id)
        return facts or delete_some(self._session, DailyCountRow, limit, DailyCountRow.user_id == user_id)

    def users(self, after: UUID | None, limit: int) -> list[UUID]:
        statement = select(TaskFactRow.user_id).distinct().order_by(TaskFactRow.user_id).limit(limit)
        if after is not None:
            statement = statement.where(TaskFactRow.user_id > after)
        return list(self._session.scalars(statement))

    def active(self, users: Collection[UUID], first: date, last: date) -> list[UUID]:
        happened = or_(TaskFactRow.created_on.between(first, last), TaskFactRow.completed_on.between(first, last))
        statement = select(TaskFactRow.user_id).distinct().where(TaskFactRow.user_id.in_(users), happened)
        return list(self._session.scalars(statement.order_by(TaskFactRow.user_id)))

    def _by_day(self, day: DayColumn, user_id: UUID, first: date, last: date) -> dict[date, int]:
        statement = select(day, func.count()).where(*_within(day, user_id, first, last)).group_by(day)
        return {when: count for when, count in self._session.execute(statement) if when}

    def _count(self, user_id: UUID, day: date, created: int, completed: int) -> None:
        values = {"user_id": user_id, "day": day, "created": created, "completed": completed}
        statement = insert_into(self._session, DailyCountRow).values(**values)
        more = {"created": DailyCountRow.created + created, "completed": DailyCountRow.completed + completed}
        self._session.execute(statement.on_conflict_do_update(index_elements=["user_id", "day"], set_=more))


class SqlReportSubscriptions:
    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, user_id: UUID, subscribed: bool, at: datetime) -> None:
        statement = insert_into(self._session, ReportSubscriptionRow).values(
            user_id=user_id, subscribed=subscribed, at=at
        )
        latest = statement.on_conflict_do_update(
            index_elements=["user_id"],
            set_={"subscribed": subscribed, "at": at},
            where=ReportSubscriptionRow.at <= at,
        )
        self._session.execute(latest)

    def among(self, users: Collection[UUID]) -> list[UUID]:
        subscribed = (ReportSubscriptionRow.user_id.in_(users), ReportSubscriptionRow.subscribed)
        return list(self._session.scalars(select(ReportSubscriptionRow.user_id).where(*subscribed)))

    def delete(self, user_id: UUID) -> int:
        mine = delete(ReportSubscriptionRow).where(ReportSubscriptionRow.user_id == user_id)
        return changed(self._session.execute(mine))


def _within(day: DayColumn, user_id: UUID, first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a user's rows in a range of days, both included."""
    return day.class_.user_id == user_id, day.between(first, last)


def _values(fact: Fact) -> dict[str, object]:
    return {name: getattr(fact, name) for name in (*FIELDS, *DERIVED)}
