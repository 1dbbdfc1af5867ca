"""Copies of a user's data: one archive of all, or one from each service."""

from collections.abc import Callable
from uuid import UUID

from app.core.errors import UnavailableError
from app.core.events.model import Event
from app.core.idempotency import IdempotencyKey
from app.core.jobs import data_export_parts
from app.core.jobs.data_export_job import KIND
from app.core.jobs.model import Job
from app.core.jobs.service import JobService

MOVING = "Your data is being moved to a database for each service: ask for a copy of it once that is done."

LISTED = 20
"""Copies that are listed."""


class DataExportService:
    """Requests for copies of a user's data.

    Args:
        jobs: a user's jobs.
        service: the service that takes the requests.
        ask_others: returns the event by which the other services make their parts, of the job that makes the first.
        apart: whether each service has a process and a database of its own.
        whole: whether this process has all services, and its database all of the data.
    """

    def __init__(
        self,
        jobs: JobService,
        service: str,
        ask_others: Callable[[Job], Event],
        *,
        apart: bool,
        whole: Callable[[], bool],
    ) -> None:
        self.jobs = jobs
        self.service = service
        self._part = data_export_parts.kind_of(service)
        self._ask_others = ask_others
        self._apart = apart
        self._whole = whole

    def request(self, user_id: UUID, key: IdempotencyKey | None) -> Job:
        """Queue the job of the archive, or of this service's part, and ask the others for theirs.

        Args:
            key: idempotency key of the request.

        Returns:
            The job; if one is under way, that one.

        Raises:
            UnavailableError: the services are moving to databases of their own.
        """
        if self._apart:
            return self.jobs.queue(user_id, self._part, key=key, single=True, event=self._ask_others)
        if not self._whole():
            raise UnavailableError(MOVING)
        return self.jobs.queue(user_id, KIND, key=key, single=True)

    def find(self, user_id: UUID) -> list[Job]:
        """Return the jobs of a user's latest requests, the newest first."""
        return self.jobs.find(user_id, None, LISTED, (KIND, self._part))
