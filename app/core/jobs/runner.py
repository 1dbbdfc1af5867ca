"""Job runner: each step and its checkpoint in one transaction, under a lease."""

import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog

from app.core.clock import Clock, NewId
from app.core.database.retries import retried, run
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import ServiceError
from app.core.jobs.backoff import backoff
from app.core.jobs.handler import Handler, SideEffectHandler
from app.core.jobs.model import Claimed, InputRejectedError, Job, PermanentError, State
from app.core.observability.span_context import NO_SPANS, Spans

log = structlog.get_logger(__name__)


W = TypeVar("W", bound=UnitOfWork)


class Runner(Generic[W]):
    """Runs jobs, whoever asks for it, and as often as it is asked.

    A worker that dies leaves its job to the next one when the lease has run out. One that has only been slow finds its
    lease gone: its step is rolled back. So each effect is there exactly once.

    Args:
        storage: where jobs and effects are.
        handlers, errands: by kind.
        clock, new_id: time and identifiers.
        lease: seconds within which a step is done, or the job is free for others.
        attempts: how often a job is begun without getting further before it is given up; an errand says that itself.
        backoff: seconds before the second try; each further one waits twice as long.
        spans: take notes of what is done.
    """

    def __init__(
        self,
        storage: Storage[W],
        handlers: Mapping[str, Handler[W]],
        errands: Mapping[str, SideEffectHandler],
        clock: Clock,
        new_id: NewId,
        *,
        lease: float,
        attempts: int,
        backoff: float,
        spans: Spans = NO_SPANS,
    ) -> None:
        self._storage = storage
        self._handlers = handlers
        self._side_effects = errands
        self._clock = clock
        self._new_id = new_id
        self._lease = timedelta(seconds=lease)
        self._attempts = attempts
        self._backoff = backoff
        self._spans = spans
        self._stopping = threading.Event()

    @property
    def lanes(self) -> tuple[Collection[str], Collection[str]]:
        """The kinds of jobs that may take long, and those that do not: the ones need not wait for the others."""
        return self._handlers.keys(), self._side_effects.keys()

    @property
    def kinds(self) -> Collection[str]:
        """The kinds of jobs that are done here."""
        return {*self._handlers, *self._side_effects}

    def stop(self) -> None:
        """Let jobs go after their current step, so that others need not wait for their leases to run out."""
        self._stopping.set()

    def run(self, job_id: UUID) -> None:
        """Do a job, if it is due, of a kind known here, and nobody else does it. A later release may have queued it."""
        lease = self._new_id()

        def claim(work: W) -> Claimed | None:
            now = self._clock()
            return work.jobs.claim(job_id, self.kinds, lease, now, now + self._lease)

        claimed = run(self._storage.write, claim)
        if claimed is None:
            return
        named = f"job {claimed.kind}"
        with self._spans.work(named, claimed.traceparent, job_id=str(job_id), attempt=claimed.attempt) as span:
            try:
                self._steps(job_id, lease)
            except InputRejectedError as error:
                self._reject(job_id, lease, str(error)[:500])
            except Exception as error:  # noqa: BLE001 whatever a handler raises must not end the worker
                span.record_error(error)
                self._record_failure(job_id, lease, error)

    def _steps(self, job_id: UUID, lease: UUID) -> None:
        while self._step(job_id, lease):
            if self._stopping.is_set():
                run(self._storage.write, lambda work: work.jobs.postpone(job_id, lease, self._clock(), None))
                return

    def _step(self, job_id: UUID, lease: UUID) -> bool:
        """Do the next step; say whether there is another."""
        job = run(self._storage.write, lambda work: self._run_step(work, job_id, lease))
        if isinstance(job, bool):
            return job
        # Not within the transaction: it would hold the job, and on SQLite everybody, for as long as a server takes.
        self._side_effects[job.kind].run(job)
        run(self._storage.write, lambda work: work.jobs.finish(job_id, lease, State.SUCCEEDED, self._clock()))
        return False

    def _run_step(self, work: W, job_id: UUID, lease: UUID) -> Job | bool:
        """Do the next step, and say whether there is another. Return an errand's job instead, which is to be run."""
        job = work.jobs.renew_lease(job_id, lease, self._clock() + self._lease)
        if job is None:
            log.warning("job lost to another worker", job_id=str(job_id))
            return False
        if job.cancelling or (job.user_id and work.deleted_users.among([job.user_id])):
            work.jobs.finish(job_id, lease, State.CANCELLED, self._clock())
            return False
        if job.attempts > self._most_attempts(job):  # each try has taken its worker with it
            self._give_up(work, job, lease, job.error or "Its worker died at each try.")
            return False
        handler = self._handlers.get(job.kind)
        if handler is None:
            return job
        step = handler.step(work, job)
        work.jobs.save_progress(job_id, lease, step)
        if step.finished:
            work.jobs.finish(job_id, lease, State.SUCCEEDED, self._clock())
        return not step.finished

    def _reject(self, job_id: UUID, lease: UUID, reason: str) -> None:
        log.info("job rejected", job_id=str(job_id), reason=reason)
        now = self._clock()
        run(self._storage.write, lambda work: work.jobs.finish(job_id, lease, State.FAILED, now, reason, rejected=True))

    @retried
    def _record_failure(self, job_id: UUID, lease: UUID, error: Exception) -> None:
        reason = str(error) if isinstance(error, ServiceError | PermanentError) else type(error).__name__
        log.warning("job step failed", job_id=str(job_id), exc_info=error)
        with self._storage.write() as work:
            now = self._clock()
            job = work.jobs.renew_lease(job_id, lease, now + self._lease)
            if job is None:
                return
            if isinstance(error, PermanentError) or job.attempts >= self._most_attempts(job):
                self._give_up(work, job, lease, reason[:500], error)
                return
            work.jobs.postpone(job_id, lease, now + backoff(self._backoff, job.attempts), reason[:500])

    def _most_attempts(self, job: Job) -> int:
        errand = self._side_effects.get(job.kind)
        return errand.attempts if errand else self._attempts

    def _give_up(self, work: W, job: Job, lease: UUID, reason: str, error: Exception | None = None) -> None:
        names = {"job_id": str(job.id), "kind": job.kind, "attempts": job.attempts}
        log.error("job given up", **names, reason=reason, exc_info=error)
        work.jobs.finish(job.id, lease, State.FAILED, self._clock(), reason)


class ServiceRunners:
    """Runs each job by the runner of the service that knows its kind.

    Args:
        storage: where jobs are.
        runners: one a service.
    """

    def __init__(self, storage: Storage[UnitOfWork], runners: Sequence[Runner[Any]]) -> None:
        self._storage = storage
        self._runners = runners
        self._by_kind = {kind: runner for runner in runners for kind in runner.kinds}

    @property
    def lanes(self) -> tuple[Collection[str], Collection[str]]:
        """As of a runner, for all services together."""
        long, short = zip(*(runner.lanes for runner in self._runners), strict=True)
        return set().union(*long), set().union(*short)

    @property
    def kinds(self) -> Collection[str]:
        """The kinds of jobs that are done here."""
        return self._by_kind.keys()

    def stop(self) -> None:
        """Let jobs go after their current step."""
        for runner in self._runners:
            runner.stop()

    def run(self, job_id: UUID) -> None:
        """Do a job, if its kind is known here: a later release may have queued it."""
        kind = run(self._storage.read, lambda work: work.jobs.kind_of(job_id))
        if kind in self._by_kind:
            self._by_kind[kind].run(job_id)
