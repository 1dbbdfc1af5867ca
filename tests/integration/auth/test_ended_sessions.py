"""Ended sessions, published again for a service that may have missed them."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app.auth import ended_sessions_job
from app.auth.tables import SessionRow
from app.bootstrap.container import Container
from app.core.clock import new_id, utc_now
from app.core.events.model import Event
from app.core.events.tables import OutboxRow
from app.core.security.tokens import LEEWAY
from app.core.sessions.events import ends_requested
from tests.support.api import PASSWORD, Person
from tests.support.background import do_jobs
from tests.support.storage import storage_of


def published_again(container: Container) -> list[Event]:
    """Request the recent ends, and return the events that answer."""
    storage = storage_of(container)
    with storage.read() as work:
        before = work.session.scalar(select(func.count()).select_from(OutboxRow)) or 0
    container.background.transport.publish([ends_requested(new_id, utc_now())])
    do_jobs(container)
    with storage.read() as work:
        return work.outbox.waiting(1000)[before:]


def ended(person: Person, container: Container, seconds_ago: float) -> str:
    """Open and end another session of a person; return its id."""
    session = Person(person.client, person.email).login()
    session_id = container.platform.tokens.verify(session.access_token).session_id
    session.call("POST", "/auth/logout")
    with storage_of(container).write() as work:
        at = utc_now() - timedelta(seconds=seconds_ago)
        work.session.execute(update(SessionRow).where(SessionRow.id == session_id).values(revoked_at=at))
    return str(session_id)


def test_ends_are_published_again_while_a_token_may_be_valid(person: Person, container: Container) -> None:
    validity = container.settings.access_token_lifetime + LEEWAY
    recent = {ended(person, container, seconds) for seconds in (0, validity - 30)}
    ended(person, container, validity + 1)
    events = published_again(container)
    assert {(event.name, event.payload["session_id"]) for event in events} == {
        ("session.ended", each) for each in recent
    }
    for event in events:
        assert datetime.fromisoformat(str(event.payload["tokens_expire_at"])) == event.at + timedelta(seconds=validity)


def test_deletions_are_published_again(person: Person, container: Container) -> None:
    user_id = container.platform.tokens.verify(person.access_token).user_id
    assert person.call("DELETE", "/users/me", json={"password": PASSWORD}).status_code == 204
    assert [(event.name, event.user_id) for event in published_again(container)] == [("user.deleted", user_id)]


def test_many_ends_are_published_batch_by_batch_each_once(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when some have ended at the same moment."""
    monkeypatch.setattr(ended_sessions_job, "BATCH", 2)
    sessions = [ended(person, container, 10) for _ in range(5)]
    with storage_of(container).write() as work:
        at = utc_now() - timedelta(seconds=5)
        work.session.execute(update(SessionRow).where(SessionRow.revoked_at.is_not(None)).values(revoked_at=at))
    assert sorted(str(event.payload["session_id"]) for event in published_again(container)) == sorted(sessions)
