"""Job runner: each step and its checkpoint in one transaction, under a lease."""

import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Generic
from uuid import UUID

import structlog

from app.core.clock import Clock, NewId
from app.core.database.retries import retried, run
from app.core.database.unit_of_work import Storage, UnitOfWork, W
from app.core.errors import MovedError, ServiceError
from app.core.jobs.backoff import backoff
from app.core.jobs.handler import Handler, SideEffectHandler
from app.core.jobs.model import Claimed, DeferredError, InputRejectedError, Job, PermanentError, State
from app.core.observability.span_context import NO_SPANS, Spans

log = structlog.get_logger(__name__)


class Runner(Generic[W]):
    """Runs jobs; safe to call repeatedly and from several processes for the same job.

    When a worker dies, another one takes its job over once the lease has expired. When a worker was only slow, its
    lease is lost and its step is rolled back. So each effect in the database happens exactly once.

    Args:
        storage: database of the jobs and their effects.
        handlers: handlers that work in the database, by kind.
        side_effect_handlers: handlers with effects outside the database, by kind.
        clock, new_id: time and identifiers.
        lease: seconds within which a step must end; then other workers may claim the job.
        attempts: starts without progress before a job is dead-lettered; a SideEffectHandler has its own number.
        backoff: seconds before the first retry; the delay doubles for each further one.
        spans: records spans.
    """

    def __init__(
        self,
        storage: Storage[W],
        handlers: Mapping[str, Handler[W]],
        side_effect_handlers: Mapping[str, SideEffectHandler],
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
        self._side_effects = side_effect_handlers
        self._clock = clock
        self._new_id = new_id
        self._lease = timedelta(seconds=lease)
        self._attempts = attempts
        self._backoff = backoff
        self._spans = spans
        self._stopping = threading.Event()

    @property
    def lanes(self) -> tuple[Collection[str], Collection[str]]:
        """The kinds of jobs that may take long, and the short ones, which need not wait for them."""
        return self._handlers.keys(), self._side_effects.keys()

    @property
    def kinds(self) -> Collection[str]:
        """The kinds of jobs that this runner handles."""
        return {*self._handlers, *self._side_effects}

    def stop(self) -> None:
        """Requeue running jobs after their current step, so that other workers need not wait for the leases."""
        self._stopping.set()

    def run(self, job_id: UUID) -> None:
        """Claim a job and run it. Does nothing if it is not due, is claimed already, or is of an unknown kind, such as
        one of a later release. Ends when the service has moved to another database: the job goes on there."""
        with suppress(MovedError):
            self._run(job_id)

    def _run(self, job_id: UUID) -> None:
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
            except MovedError:
                raise
            except DeferredError as error:
                until = error.until
                run(self._storage.write, lambda work: work.jobs.defer(job_id, lease, until))
            except InputRejectedError as error:
                self._reject(job_id, lease, str(error)[:500])
            except Exception as error:  # noqa: BLE001 a handler's exception must not end the worker
                span.record_error(error)
                self._record_failure(job_id, lease, error)

    def _steps(self, job_id: UUID, lease: UUID) -> None:
        while self._step(job_id, lease):
            if self._stopping.is_set():
                run(self._storage.write, lambda work: work.jobs.postpone(job_id, lease, self._clock(), None))
                return

    def _step(self, job_id: UUID, lease: UUID) -> bool:
        """Run the next step; return whether there is another."""
        job = run(self._storage.write, lambda work: self._run_step(work, job_id, lease))
        if isinstance(job, bool):
            return job
        # Outside a transaction, which would lock the job's row, and on SQLite all writers, during a remote call.
        self._side_effects[job.kind].run(job)
        run(self._storage.write, lambda work: work.jobs.finish(job_id, lease, State.SUCCEEDED, self._clock()))
        return False

    def _run_step(self, work: W, job_id: UUID, lease: UUID) -> Job | bool:
        """Run the next step; return whether there is another, or the job if it is for a SideEffectHandler."""
        job = work.jobs.renew_lease(job_id, lease, self._clock() + self._lease)
        if job is None:
            log.warning("job lost to another worker", job_id=str(job_id))
            return False
        if job.cancelling or (job.user_id and work.deleted_users.among([job.user_id])):
            work.jobs.finish(job_id, lease, State.CANCELLED, self._clock())
            return False
        if job.attempts > self._most_attempts(job):  # the worker died in each attempt
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
        handler = self._side_effects.get(job.kind)
        return handler.attempts if handler else self._attempts

    def _give_up(self, work: W, job: Job, lease: UUID, reason: str, error: Exception | None = None) -> None:
        names = {"job_id": str(job.id), "kind": job.kind, "attempts": job.attempts}
        log.error("job given up", **names, reason=reason, exc_info=error)
        work.jobs.finish(job.id, lease, State.FAILED, self._clock(), reason)


class ServiceRunners:
    """Runs each job by the runner of the service that handles its kind.

    Args:
        storage: database of the jobs.
        runners: one for each service.
    """

    def __init__(self, storage: Storage[UnitOfWork], runners: Sequence[Runner[Any]]) -> None:
        self._storage = storage
        self._runners = runners
        self._by_kind = {kind: runner for runner in runners for kind in runner.kinds}

    @property
    def lanes(self) -> tuple[Collection[str], Collection[str]]:
        """The lanes of all runners together."""
        long, short = zip(*(runner.lanes for runner in self._runners), strict=True)
        return set().union(*long), set().union(*short)

    @property
    def kinds(self) -> Collection[str]:
        """The kinds of jobs that some runner handles."""
        return self._by_kind.keys()

    def stop(self) -> None:
        """Requeue running jobs after their current step."""
        for runner in self._runners:
            runner.stop()

    def run(self, job_id: UUID) -> None:
        """Run a job, unless its kind is unknown, such as one of a later release."""
        kind = run(self._storage.read, lambda work: work.jobs.kind_of(job_id))
        if kind in self._by_kind:
            self._by_kind[kind].run(job_id)
