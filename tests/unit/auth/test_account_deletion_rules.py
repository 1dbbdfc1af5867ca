"""Rules of account deletion on fakes: concurrent changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.auth.account_deletion import AccountDeletionService
from app.auth.model import Session, User
from app.auth.sessions import SessionService
from app.core.errors import InvalidError, UnavailableError
from tests.support.fake_accounts import FakeDenylist, FakePasswords
from tests.support.fakes import Counter, FakeClock, FakeStorage

USER, SESSION = UUID(int=1000), UUID(int=1001)


class Sessions(SessionService):
    """Session service with a hook after the first `end_all`."""

    meanwhile: Callable[[], None] | None = None

    def end_all(self, user_id: UUID, but: UUID | None = None) -> None:
        super().end_all(user_id, but)
        if self.meanwhile:
            happen, self.meanwhile = self.meanwhile, None
            happen()


class Scene:
    def __init__(self) -> None:
        self.storage, self.denylist, self.clock = FakeStorage(), FakeDenylist(), FakeClock()
        self.sessions = Sessions(self.storage, self.denylist, timedelta(minutes=15), self.clock, Counter())
        passwords = FakePasswords()
        now = self.clock()
        self.storage.users.add(User(USER, "somebody@example.com", "Somebody", passwords.hash("right"), now))
        self.open(SESSION)
        self.service = AccountDeletionService(self.storage, passwords, self.sessions, self.clock, Counter())

    def open(self, session: UUID) -> None:
        self.storage.sessions.add(Session(session, USER, self.clock(), self.clock()))

    @property
    def published(self) -> list[str]:
        return [event.name for event in self.storage.outbox.events]


def test_a_deletion_is_published_recorded_and_audited() -> None:
    scene = Scene()
    scene.service.delete_own(USER, "right", "192.0.2.1")
    assert scene.storage.users.rows == {}
    assert scene.denylist.entries == {SESSION}
    assert scene.published == ["session.ended", "user.deleted"]
    assert scene.storage.deleted_users.among([USER]) == {USER}
    [entry] = scene.storage.audit.rows
    assert (entry.action, entry.actor_id, entry.subject_id, entry.remote) == ("user.delete", USER, USER, "192.0.2.1")
    assert entry.details == {}, "no personal data"


def test_without_the_denylist_nothing_changes() -> None:
    scene = Scene()
    scene.denylist.away = True
    with pytest.raises(UnavailableError):
        scene.service.delete_own(USER, "right", "")
    assert USER in scene.storage.users.rows
    assert scene.published == []


def test_a_session_that_begins_meanwhile_ends_too() -> None:
    scene, late = Scene(), UUID(int=1002)
    scene.sessions.meanwhile = lambda: scene.open(late)
    scene.service.delete_own(USER, "right", "")
    assert scene.denylist.entries == {SESSION, late}
    assert scene.storage.users.rows == {}


def test_a_password_replaced_meanwhile_deletes_nothing() -> None:
    scene = Scene()

    def reset() -> None:
        scene.storage.users.rows[USER] = replace(scene.storage.users.rows[USER], password_hash="v1:wen")

    scene.sessions.meanwhile = reset
    with pytest.raises(InvalidError):
        scene.service.delete_own(USER, "right", "")
    assert USER in scene.storage.users.rows
    assert "user.deleted" not in scene.published
