"""Repository of jobs."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, not_, or_, select, update
from sqlalchemy.orm import Session

from app.core.database.batches import delete_some
from app.core.database.row_count import changed
from app.core.database.upsert import insert_into
from app.core.jobs.model import Claimed, DeadLetter, Job, State, Step
from app.core.jobs.tables import JobFileRow, JobRow, RefusedLineRow

FIELDS = (
    "id", "user_id", "kind", "created_at", "state", "parameters", "checkpoint", "done", "total", "refused", "attempts",
    "started_at", "finished_at", "error", "cancelling", "traceparent",
)  # fmt: skip

OPEN = (State.QUEUED, State.RUNNING)

FILES_DELETED = 50
"""Chunks of job files, half a megabyte each, that one transaction deletes."""

MOST_LEFT = 100
"""Running jobs with an expired lease that are announced at a time."""


class SqlJobs:
    """Jobs in the database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, job: Job, unique_key: str | None = None) -> bool:
        """Queue a job, unless a stored job has the same unique key; return whether it was queued."""
        values = {name: getattr(job, name) for name in FIELDS}
        statement = insert_into(self._session, JobRow).values(**values, unique_key=unique_key, due_at=job.created_at)
        return self._changed(statement.on_conflict_do_nothing(index_elements=["unique_key"]))

    def get(self, user_id: UUID, job_id: UUID) -> Job | None:
        row = self._session.scalar(select(JobRow).where(JobRow.id == job_id, JobRow.user_id == user_id))
        return _job(row) if row else None

    def find(self, user_id: UUID, after: UUID | None, limit: int, kinds: Collection[str] | None = None) -> list[Job]:
        statement = select(JobRow).where(JobRow.user_id == user_id).order_by(JobRow.id.desc()).limit(limit)
        if kinds is not None:
            statement = statement.where(JobRow.kind.in_(kinds))
        if after is not None:
            statement = statement.where(JobRow.id < after)
        return [_job(row) for row in self._session.scalars(statement)]

    def kind_of(self, job_id: UUID) -> str | None:
        """Return the kind of a job; None if there is no such job."""
        return self._session.scalar(select(JobRow.kind).where(JobRow.id == job_id))

    def under_way(self, user_id: UUID, kind: str) -> UUID | None:
        """Return a user's queued or running job of a kind, if there is one; of several, the newest."""
        mine = (JobRow.user_id == user_id, JobRow.kind == kind, JobRow.state.in_(OPEN))
        return self._session.scalar(select(JobRow.id).where(*mine).order_by(JobRow.id.desc()).limit(1))

    def due(self, now: datetime, kinds: Collection[str], limit: int) -> list[UUID]:
        """Return jobs of the given kinds that are queued and due, or running with an expired lease."""
        found: list[tuple[datetime, UUID]] = []
        # One state at a time, in the order of an index: reads no more jobs than it needs.
        for state in OPEN:
            due = select(JobRow.due_at, JobRow.id).where(_due((state,), now, kinds))
            found += self._session.execute(due.order_by(JobRow.due_at).limit(limit)).all()
        return [job_id for _, job_id in sorted(found)[:limit]]

    def announce(
        self, now: datetime, kinds: Collection[str], announced_before: datetime, room: int
    ) -> tuple[list[UUID], list[UUID]]:
        """Return due jobs that have not been announced since `announced_before`, and mark them as announced.

        Running jobs whose lease has expired are returned separately and whatever the room: there are few, and they have
        already waited for the lease. Of queued jobs, up to `room` are returned.
        """
        left = self._unannounced(State.RUNNING, now, kinds, announced_before, MOST_LEFT)
        waiting = self._unannounced(State.QUEUED, now, kinds, announced_before, room)
        self._session.execute(update(JobRow).where(JobRow.id.in_([*left, *waiting])).values(announced_at=now))
        return left, waiting

    def _unannounced(
        self, state: State, now: datetime, kinds: Collection[str], announced_before: datetime, limit: int
    ) -> list[UUID]:
        # One state, in the order of an index: reads no more jobs than are announced.
        unannounced = or_(JobRow.announced_at.is_(None), JobRow.announced_at < announced_before)
        chosen = select(JobRow.id).where(_due((state,), now, kinds), unannounced)
        return list(
            self._session.scalars(chosen.order_by(JobRow.due_at).limit(limit).with_for_update(skip_locked=True))
        )

    def claim(
        self, job_id: UUID, kinds: Collection[str], lease: UUID, now: datetime, until: datetime
    ) -> Claimed | None:
        """Start a due job of one of the given kinds, under a lease. Of concurrent callers one gets it; others get None.

        Args:
            lease: new lease of the caller.
            until: when the lease expires.
        """
        statement = (
            update(JobRow)
            .where(JobRow.id == job_id, _due(OPEN, now, kinds))
            .values(
                state="running",
                lease=lease,
                due_at=until,
                attempts=JobRow.attempts + 1,
                started_at=func.coalesce(JobRow.started_at, now),
            )
            .returning(JobRow.kind, JobRow.attempts, JobRow.traceparent)
        )
        row = self._session.execute(statement.execution_options(synchronize_session=False)).one_or_none()
        return row and Claimed(*row)

    def renew_lease(self, job_id: UUID, lease: UUID, until: datetime) -> Job | None:
        """Extend a lease, and lock the job's row until the transaction ends; None if the lease was lost."""
        if not self._changed(update(JobRow).where(*_mine(job_id, lease)).values(due_at=until)):
            return None
        return _job(self._session.get_one(JobRow, job_id, populate_existing=True))

    def save_progress(self, job_id: UUID, lease: UUID, step: Step) -> None:
        """Store the checkpoint of a step, and reset the attempts, since there was progress."""
        values: dict[str, object] = {
            "checkpoint": step.checkpoint,
            "done": step.done,
            "total": step.total,
            "refused": step.refused,
            "attempts": 1,
            "error": None,
        }
        self._session.execute(update(JobRow).where(*_mine(job_id, lease)).values(**values))

    def finish(
        self,
        job_id: UUID,
        lease: UUID,
        state: str,
        now: datetime,
        error: str | None = None,
        *,
        rejected: bool = False,
    ) -> None:
        """End a job.

        Args:
            rejected: whether it failed because of the user's input, so that it is no dead letter.
        """
        values = {"state": state, "finished_at": now, "error": error, "lease": None, "rejected": rejected}
        self._session.execute(update(JobRow).where(*_mine(job_id, lease)).values(**values))

    def postpone(self, job_id: UUID, lease: UUID, until: datetime, error: str | None) -> None:
        """Queue the job again, due at `until`, and release its lease."""
        self._session.execute(
            update(JobRow)
            .where(*_mine(job_id, lease))
            .values(state="queued", due_at=until, error=error, lease=None, announced_at=None)
        )

    def defer(self, job_id: UUID, lease: UUID, until: datetime) -> None:
        """Queue the job again, due at `until`, with all its attempts."""
        values = {**_queued_again(until), "lease": None}
        self._session.execute(update(JobRow).where(*_mine(job_id, lease)).values(**values))

    def cancel(self, user_id: UUID, job_id: UUID, now: datetime) -> None:
        """Cancel a queued job; let a running one stop at its next step."""
        mine = (JobRow.id == job_id, JobRow.user_id == user_id)
        waiting = update(JobRow).where(*mine, JobRow.state == "queued").values(state="cancelled", finished_at=now)
        if not self._changed(waiting):
            self._session.execute(update(JobRow).where(*mine, JobRow.state == "running").values(cancelling=True))

    def resume(self, user_id: UUID, job_id: UUID, now: datetime) -> bool:
        """Queue a cancelled or failed job again, from its checkpoint; return False if it is neither."""
        return self._changed(
            update(JobRow)
            .where(JobRow.id == job_id, JobRow.user_id == user_id, JobRow.state.in_(("cancelled", "failed")))
            .values(**_queued_again(now))
        )

    def lock_imports(self, user_id: UUID) -> None:
        """Lock a user's import quota until the transaction ends, by an advisory lock. SQLite has one writer anyway."""
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(select(func.pg_advisory_xact_lock(user_id.int % (1 << 63))))

    def import_usage(self, user_id: UUID) -> tuple[int, int]:
        """Return the number of a user's queued and running imports, and the bytes of the files of all their imports."""
        imports = JobRow.user_id == user_id, JobRow.kind == "import"
        count = select(func.count()).select_from(JobRow).where(*imports, JobRow.state.in_(OPEN))
        size = select(func.coalesce(func.sum(func.length(JobFileRow.data)), 0)).where(
            JobFileRow.job_id.in_(select(JobRow.id).where(*imports))
        )
        return self._session.scalar(count) or 0, int(self._session.scalar(size) or 0)

    def dead_letters(self, kind: str | None, limit: int) -> list[DeadLetter]:
        """Return up to `limit` dead-lettered jobs, of a kind or of all, the latest first."""
        statement = select(JobRow).where(*_dead(kind)).order_by(JobRow.finished_at.desc()).limit(limit)
        return [
            DeadLetter("job", row.id, row.kind, row.attempts, row.finished_at or row.created_at, row.error or "")
            for row in self._session.scalars(statement)
        ]

    def requeue(self, job_ids: Collection[UUID] | None, kind: str | None, now: datetime) -> set[UUID]:
        """Queue dead-lettered jobs again, from their checkpoints; return their ids.

        Args:
            job_ids: ids of jobs; None for any.
            kind: kind of jobs; None for any.
        """
        chosen = () if job_ids is None else (JobRow.id.in_(job_ids),)
        requeued = update(JobRow).where(*_dead(kind), *chosen).values(**_queued_again(now)).returning(JobRow.id)
        return set(self._session.scalars(requeued.execution_options(synchronize_session=False)))

    def delete_of(self, user_id: UUID, limit: int) -> int:
        """Delete up to `limit` of a user's job files, rejected lines or jobs, in this order; return the number deleted.

        Waits for the row lock of a running job's step; its worker then finds its lease lost.
        """
        mine = select(JobRow.id).where(JobRow.user_id == user_id).order_by(JobRow.id).limit(limit)
        jobs = list(self._session.scalars(mine.with_for_update()))
        return (
            delete_some(self._session, JobFileRow, min(limit, FILES_DELETED), JobFileRow.job_id.in_(jobs))
            or delete_some(self._session, RefusedLineRow, limit, RefusedLineRow.job_id.in_(jobs))
            or changed(self._session.execute(delete(JobRow).where(JobRow.id.in_(jobs))))
        )

    def delete_about(self, kind: str, parameter: str, user_id: UUID) -> int:
        """Delete jobs without an owner that refer to a user; return the number deleted.

        Args:
            kind: kind of the jobs.
            parameter: name of the parameter that holds the user's id.
            user_id: user that they refer to.
        """
        about = JobRow.parameters[parameter].as_string() == str(user_id)
        statement = delete(JobRow).where(JobRow.user_id.is_(None), JobRow.kind == kind, about)
        return changed(self._session.execute(statement.execution_options(synchronize_session=False)))

    def counts(self) -> dict[str, int]:
        """Return the number of queued, running and failed jobs; failed ones without those rejected for their input."""
        states = ("queued", "running", "failed")
        monitored = JobRow.state.in_(states), not_(JobRow.rejected)
        counted = select(JobRow.state, func.count()).where(*monitored).group_by(JobRow.state)
        return {**dict.fromkeys(states, 0), **dict(self._session.execute(counted).all())}

    def _changed(self, statement: Any) -> bool:
        return changed(self._session.execute(statement.execution_options(synchronize_session=False))) == 1


def _queued_again(now: datetime) -> dict[str, object]:
    return {
        "state": "queued",
        "due_at": now,
        "attempts": 0,
        "error": None,
        "cancelling": False,
        "finished_at": None,
        "announced_at": None,
        "rejected": False,
    }


def _dead(kind: str | None) -> tuple[Any, ...]:
    failed = JobRow.state == State.FAILED, not_(JobRow.rejected)
    return failed if kind is None else (*failed, JobRow.kind == kind)


def _due(states: Collection[State], now: datetime, kinds: Collection[str]) -> Any:
    return and_(JobRow.state.in_(states), JobRow.due_at <= now, JobRow.kind.in_(kinds))


def _mine(job_id: UUID, lease: UUID) -> tuple[Any, ...]:
    return JobRow.id == job_id, JobRow.lease == lease, JobRow.state == "running"


def _job(row: JobRow) -> Job:
    return Job(**{**{name: getattr(row, name) for name in FIELDS}, "state": State(row.state)})
