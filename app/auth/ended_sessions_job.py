"""Job that republishes recent ends of sessions."""

from datetime import datetime, timedelta
from uuid import UUID

from app.auth.events import session_ended
from app.auth.model import Session
from app.auth.unit_of_work import AuthUnitOfWork
from app.core.clock import Clock, NewId
from app.core.events.model import Event
from app.core.jobs.model import Job, Step

BATCH = 500
"""Sessions per step."""


class RepeatEndedSessions:
    """Republishes `session.ended` of sessions whose access tokens may not have expired.

    Args:
        token_validity: how long after its issue an access token may be accepted, by any server's clock.
    """

    def __init__(self, token_validity: timedelta, clock: Clock, new_id: NewId) -> None:
        self._token_validity = token_validity
        self._clock = clock
        self._new_id = new_id

    def step(self, work: AuthUnitOfWork, job: Job) -> Step:
        since = self._clock() - self._token_validity
        sessions = work.sessions.ended_since(since, _place(job.checkpoint), BATCH)
        work.outbox.add_many([self._event(session, at) for session, at in sessions])
        done = job.done + len(sessions)
        if len(sessions) < BATCH:
            return Step(finished=True, checkpoint=job.checkpoint, done=done, total=done)
        session, at = sessions[-1]
        return Step(finished=False, checkpoint={"at": at.isoformat(), "id": str(session.id)}, done=done)

    def _event(self, session: Session, at: datetime) -> Event:
        return session_ended(session.user_id, session.id, at + self._token_validity, self._new_id, at)


def _place(checkpoint: dict[str, object]) -> tuple[datetime, UUID] | None:
    if not checkpoint:
        return None
    return datetime.fromisoformat(str(checkpoint["at"])), UUID(str(checkpoint["id"]))
