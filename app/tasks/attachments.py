"""Attachments of tasks; each change increments the version of the task."""

from dataclasses import replace
from uuid import UUID

from app.core.clock import Clock
from app.core.database.retries import retried, run
from app.core.errors import InvalidError, NotFoundError, UnavailableError
from app.core.idempotency import IdempotencyKey, idempotent, stored_result
from app.core.objects.file_service import FileStore
from app.core.objects.model import Upload
from app.tasks.model import Attachment, Task
from app.tasks.ports import TaskStorage, TaskWork
from app.tasks.service import NO_SUCH_TASK, get_for_update

NO_SUCH_ATTACHMENT = "There is no such attachment."
MOST_ATTACHMENTS = 20
"""Attachments per task."""


class AttachmentService:
    """Adds, lists and deletes attachments.

    Args:
        quota: total bytes of attachments per user.
    """

    def __init__(self, storage: TaskStorage, file_store: FileStore, clock: Clock, quota: int) -> None:
        self._storage = storage
        self._file_store = file_store
        self._clock = clock
        self._quota = quota

    def add(self, user_id: UUID, task_id: UUID, upload: Upload, key: IdempotencyKey | None = None) -> Attachment:
        """Attach a file to a task; idempotent with a key.

        Raises:
            NotFoundError: this user has no such task.
            InvalidError: the task has too many attachments, the user's quota is used up, or the key was used for
                another request.
            UnavailableError: storing the file took too long.
        """
        # Checked before a byte is stored, and again below under the row lock.
        if earlier := run(self._storage.read, lambda work: self._check(work, user_id, task_id, upload, key)):
            return earlier
        with self._file_store.store(upload) as stored:
            attachment = Attachment(
                stored.key, task_id, user_id, stored.name, stored.content_type, stored.size, self._clock()
            )

            def attach(work: TaskWork) -> Attachment:
                task = get_for_update(work, user_id, task_id)
                _check_count(task)
                if not work.attachments.add(attachment, self._quota):
                    raise self._too_much()
                if not work.objects.link(stored.key, self._clock()):
                    raise UnavailableError("Storing the file took too long.")
                self._count(work, task, 1)
                return attachment

            return idempotent(self._storage, user_id, key, attach, Attachment, self._clock)

    @retried
    def of_task(self, user_id: UUID, task_id: UUID) -> list[Attachment]:
        """Return the attachments of a task, the oldest first. Raises NotFoundError."""
        with self._storage.read() as work:
            if work.tasks.get(user_id, task_id) is None:
                raise NotFoundError(NO_SUCH_TASK)
            return work.attachments.of_task(user_id, task_id)

    def get(self, user_id: UUID, task_id: UUID, attachment_id: UUID) -> Attachment:
        """Return an attachment of a task. Raises NotFoundError."""
        for attachment in self.of_task(user_id, task_id):
            if attachment.id == attachment_id:
                return attachment
        raise NotFoundError(NO_SUCH_ATTACHMENT)

    def delete(self, user_id: UUID, task_id: UUID, attachment_id: UUID) -> None:
        """Delete an attachment. Raises NotFoundError."""

        def delete(work: TaskWork) -> None:
            task = get_for_update(work, user_id, task_id)
            if not work.attachments.delete(user_id, task_id, attachment_id):
                raise NotFoundError(NO_SUCH_ATTACHMENT)
            work.objects.unlink([attachment_id], self._clock())
            self._count(work, task, -1)

        run(self._storage.write, delete)
        self._file_store.sweep()

    def _check(
        self, work: TaskWork, user_id: UUID, task_id: UUID, upload: Upload, key: IdempotencyKey | None
    ) -> Attachment | None:
        """Check that an upload may be attached; return the attachment of an earlier request with the same key."""
        if key and (earlier := stored_result(work, user_id, key, Attachment, self._clock)):
            return earlier
        task = work.tasks.get(user_id, task_id)
        if task is None:
            raise NotFoundError(NO_SUCH_TASK)
        _check_count(task)
        if work.attachments.used(user_id) + upload.size > self._quota:
            raise self._too_much()
        return None

    def _count(self, work: TaskWork, task: Task, more: int) -> None:
        count, version = task.attachments + more, task.version + 1
        work.tasks.replace(replace(task, attachments=count, version=version, updated_at=self._clock()))

    def _too_much(self) -> InvalidError:
        return InvalidError("file", f"your attachments may have {self._quota} bytes together")


def _check_count(task: Task) -> None:
    if task.attachments >= MOST_ATTACHMENTS:
        raise InvalidError("file", f"a task has at most {MOST_ATTACHMENTS} attachments")
