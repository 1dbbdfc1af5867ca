"""A user's jobs: queue, list, cancel, resume, result."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from app.core.clock import Clock, NewId
from app.core.database.retries import retried, run
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import ConflictError, InvalidError, NotFoundError, UnauthenticatedError, UnavailableError
from app.core.events.model import Event
from app.core.idempotency import IdempotencyKey, idempotent
from app.core.jobs.model import CHUNK_BYTES, RESULT, UPLOAD, Job, JobKind, State

NO_SUCH_JOB = "There is no such job."


@dataclass(frozen=True)
class ImportQuota:
    """Limits of imports for each user.

    Args:
        jobs: imports that are queued or running.
        size: bytes of the uploaded files of all imports.
    """

    jobs: int
    size: int


class JobService:
    """A user's jobs.

    Args:
        queued: called when there is a new job, to wake the inline runner, which otherwise polls.
        quota: limits of imports for each user.
        kinds: kinds of jobs with a result or further fields, by name.
    """

    def __init__(
        self,
        storage: Storage[UnitOfWork],
        clock: Clock,
        new_id: NewId,
        queued: Callable[[], None],
        quota: ImportQuota,
        kinds: Mapping[str, JobKind],
    ) -> None:
        self.kinds = kinds
        self._storage = storage
        self._clock = clock
        self._new_id = new_id
        self._queued = queued
        self._quota = quota

    def upload(self) -> "Upload":
        """Return a new upload, for a job to be queued."""
        return Upload(self._storage, self._new_id(), self._clock)

    def queue(
        self,
        user_id: UUID,
        kind: str,
        parameters: dict[str, object] | None = None,
        upload: "Upload | None" = None,
        key: IdempotencyKey | None = None,
        single: bool = False,
        event: Callable[[Job], Event] | None = None,
    ) -> Job:
        """Queue a job and return it; with an idempotency key, once for all requests with the key.

        Args:
            user_id: owner of the job.
            kind: kind of the job.
            parameters: input of the handler; JSON-serialisable.
            upload: input file.
            key: idempotency key of the request.
            single: return the user's queued or running job of this kind instead, if there is one.
            event: returns an event that is published with the job.

        Raises:
            ConflictError: the user's import quota is used up.
            InvalidError: the key was used for a different request.
            UnauthenticatedError: the user is deleted.
        """
        job_id = upload.job_id if upload else self._new_id()
        given = {"bytes": upload.size} if upload else {}
        job = Job(job_id, user_id, kind, self._clock(), parameters={**(parameters or {}), **given})

        def add(work: UnitOfWork) -> UUID:
            if work.deleted_users.among([user_id]):  # the account may have been deleted during the upload
                raise UnauthenticatedError("The account no longer exists.")
            if single and (under_way := work.jobs.under_way(user_id, kind)):
                return under_way
            if upload:
                self._check_quota(work, user_id, upload)
            work.jobs.add(job)
            if event:
                work.outbox.add(event(job))
            return job.id

        try:
            queued = idempotent(self._storage, user_id, key, add, UUID, self._clock)
        except (ConflictError, InvalidError, UnauthenticatedError):
            if upload:
                upload.discard()
            raise
        if queued == job.id:
            self._queued()
            return job
        if upload:
            upload.discard()
        return self.get(user_id, queued)

    def room_for_import(self, user_id: UUID) -> int:
        """Return how many bytes a user may upload now. Raises ConflictError if the import quota is used up."""
        return self._room(*run(self._storage.read, lambda work: work.jobs.import_usage(user_id)))

    def _check_quota(self, work: UnitOfWork, user_id: UUID, upload: "Upload") -> None:
        work.jobs.lock_imports(user_id)
        if self._room(*work.jobs.import_usage(user_id)) < upload.size:
            raise self._full()

    def _room(self, jobs: int, size: int) -> int:
        if jobs >= self._quota.jobs:
            raise ConflictError(f"{jobs} of your imports wait or run: begin another when one of them has ended.")
        if size >= self._quota.size:
            raise self._full()
        return self._quota.size - size

    def _full(self) -> ConflictError:
        return ConflictError(
            f"Your files to import may have {self._quota.size} bytes together: wait until one has been imported, or"
            " resume an import that was cancelled or has failed: its file counts as long as it can be resumed."
        )

    def get(self, user_id: UUID, job_id: UUID) -> Job:
        """Return a job of this user. Raises NotFoundError."""
        job: Job | None = run(self._storage.read, lambda work: work.jobs.get(user_id, job_id))
        if job is None:
            raise NotFoundError(NO_SUCH_JOB)
        return job

    @retried
    def find(self, user_id: UUID, after: UUID | None, limit: int, kinds: Collection[str] | None = None) -> list[Job]:
        """Return up to `limit` jobs, of some kinds or of all, newest first, older than the one named `after`."""
        with self._storage.read() as work:
            return work.jobs.find(user_id, after, limit, kinds)

    def cancel(self, user_id: UUID, job_id: UUID) -> Job:
        """Cancel a job at its next step, without undoing previous ones. A job that has ended is unchanged."""
        run(self._storage.write, lambda work: work.jobs.cancel(user_id, job_id, self._clock()))
        return self.get(user_id, job_id)

    def resume(self, user_id: UUID, job_id: UUID, key: IdempotencyKey | None = None) -> Job:
        """Queue a cancelled or failed job again, from its checkpoint.

        Raises:
            ConflictError: the job is neither cancelled nor failed.
            InvalidError: the key was used for a different request.
            NotFoundError: the user has no such job.
        """

        def requeue(work: UnitOfWork) -> UUID:
            if work.jobs.resume(user_id, job_id, self._clock()):
                return job_id
            if work.jobs.get(user_id, job_id) is None:
                raise NotFoundError(NO_SUCH_JOB)
            raise ConflictError("Only a job that was cancelled or has failed can be resumed.")

        idempotent(self._storage, user_id, key, requeue, UUID, self._clock)
        self._queued()
        return self.get(user_id, job_id)

    def refused_lines(self, user_id: UUID, job_id: UUID, after: int, limit: int) -> list[tuple[int, str, str]]:
        """Return up to `limit` rejected lines after a line number: number, reason, and the beginning of the line."""
        self.get(user_id, job_id)
        return run(self._storage.read, lambda work: work.files.refused_lines(job_id, after, limit))

    def result(self, user_id: UUID, job_id: UUID) -> tuple[Job, int, Iterator[bytes]]:
        """Return a job, the size of its result in bytes, and the chunks of the result.

        Raises:
            NotFoundError: the job has no result, or its result has expired.
        """
        job = self.get(user_id, job_id)
        chunks, size = run(self._storage.read, lambda work: work.files.size(job_id, RESULT))
        rows = self.kinds[job.kind].rows_per_chunk if job.kind in self.kinds else None
        least = job.done // rows if rows else 1
        if job.state is not State.SUCCEEDED or not chunks or chunks < least:
            raise NotFoundError("The job has no result.")
        return job, size, self._chunks(job_id, chunks)

    def _chunks(self, job_id: UUID, count: int) -> Iterator[bytes]:
        for position in range(count):
            chunk = self._chunk(job_id, position)
            if chunk is None:  # deleted meanwhile: abort the download, so that the client notices
                raise UnavailableError("The result is no longer there.")
            yield chunk

    @retried
    def _chunk(self, job_id: UUID, position: int) -> bytes | None:
        with self._storage.read() as work:
            return work.files.chunk(job_id, RESULT, position)


class Upload:
    """Uploaded file that is streamed into the database, with one chunk of it in memory."""

    def __init__(self, storage: Storage[UnitOfWork], job_id: UUID, clock: Clock) -> None:
        self.job_id = job_id
        self.size = 0
        self.digest = hashlib.sha256()
        self._storage = storage
        self._clock = clock
        self._chunks = 0
        self._buffer = bytearray()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.digest.update(data)
        self._buffer += data
        while len(self._buffer) >= CHUNK_BYTES:
            self._store(bytes(self._buffer[:CHUNK_BYTES]))
            del self._buffer[:CHUNK_BYTES]
        return len(data)

    def close(self) -> None:
        """Store the last chunk."""
        if self._buffer:
            self._store(bytes(self._buffer))
            self._buffer.clear()

    @retried
    def discard(self) -> None:
        """Delete the stored chunks."""
        with self._storage.write() as work:
            work.files.delete(self.job_id, UPLOAD)

    @retried
    def _store(self, chunk: bytes) -> None:
        with self._storage.write() as work:
            work.files.append(self.job_id, UPLOAD, self._chunks, chunk, self._clock())
        self._chunks += 1
