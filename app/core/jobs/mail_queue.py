"""Queue of mails, as jobs without an owner."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.core.clock import new_id, utc_now
from app.core.jobs.model import Job
from app.core.jobs.repository import SqlJobs


class SqlMails:
    """Adds mail jobs to the queue."""

    def __init__(self, session: Session) -> None:
        self._jobs = SqlJobs(session)

    def add(self, kind: str, parameters: Mapping[str, str]) -> None:
        self._jobs.add(Job(new_id(), None, kind, utc_now(), parameters=dict(parameters)))
