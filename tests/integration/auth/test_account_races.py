"""Concurrent changes of accounts, on both databases: no lost updates."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from flask_openapi.openapi import OpenAPI

from app.auth.admin import Actor
from app.auth.model import PasswordReset
from app.auth.password_resets import LIFETIME
from app.auth.repository import SqlSessions, SqlUsers
from app.bootstrap.container import Container
from app.core.clock import new_id, utc_now
from app.core.errors import ConflictError, ForbiddenError, InvalidError, ServiceError
from app.core.security.passwords import Passwords
from app.core.security.roles import Role
from tests.support.api import PASSWORD, Person, assert_problem
from tests.support.storage import storage_of

REMOTE = "192.0.2.1"
TOGETHER = 1.0
"""Seconds that a thread waits for the other at the barrier; times out if they are serialised as they should be."""


def administrators(container: Container) -> list[str]:
    with storage_of(container).read() as work:
        return [user.email for user in work.users.find("", None, 100) if user.role is Role.ADMIN and not user.disabled]


@pytest.fixture
def two(app: OpenAPI, container: Container) -> list[Actor]:
    """Two administrators, the only ones."""
    people = [Person(app.test_client()).register() for _ in range(2)]
    for person in people:
        container.auth.admin.grant_admin(person.email)
    with storage_of(container).read() as work:
        return [Actor(user.id, REMOTE) for user in work.users.find("", None, 100)]


@pytest.fixture
def side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes of an account wait at a barrier for a concurrent one."""
    both = threading.Barrier(2)

    def meet() -> None:
        try:
            both.wait(TOGETHER)
        except threading.BrokenBarrierError:
            return

    for name in ("set_role", "set_disabled", "delete"):
        changes = getattr(SqlUsers, name)

        def change(self: SqlUsers, *args: Any, changes: Callable[..., None] = changes) -> None:
            meet()
            changes(self, *args)

        monkeypatch.setattr(SqlUsers, name, change)


def outcomes(calls: list[Callable[[], object]]) -> list[type[ServiceError] | None]:
    """Run the calls concurrently; return the exception type of each, or None."""

    def outcome(call: Callable[[], object]) -> type[ServiceError] | None:
        try:
            call()
        except ServiceError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(outcome, calls))


@pytest.mark.usefixtures("side_by_side")
@pytest.mark.parametrize("change", [{"role": Role.USER}, {"disabled": True}])
def test_two_administrators_can_not_demote_each_other(
    container: Container, two: list[Actor], change: dict[str, Any]
) -> None:
    one, other = two
    assert one.user_id
    assert other.user_id
    one_id, other_id = one.user_id, other.user_id
    raised = outcomes(
        [
            lambda: container.auth.admin.update(one, other_id, **change),
            lambda: container.auth.admin.update(other, one_id, **change),
        ]
    )
    assert sorted(map(str, raised)) == sorted(map(str, [None, ForbiddenError]))
    assert len(administrators(container)) == 1


@pytest.mark.usefixtures("side_by_side")
def test_two_last_administrators_can_not_both_delete_their_accounts(container: Container, two: list[Actor]) -> None:
    ids = [actor.user_id for actor in two if actor.user_id]
    raised = outcomes([partial(container.auth.deletion.delete_own, own, PASSWORD, REMOTE) for own in ids])
    assert sorted(map(str, raised)) == sorted(map(str, [None, ConflictError]))
    assert len(administrators(container)) == 1


def test_an_actor_demoted_during_the_request_is_rejected(
    container: Container, two: list[Actor], new_person: Callable[[], Person]
) -> None:
    former, remaining = two
    assert former.user_id
    container.auth.admin.update(remaining, former.user_id, role=Role.USER)
    somebody = new_person()
    with storage_of(container).read() as work:
        user = work.users.by_email(somebody.email)
    assert user
    for act in (container.auth.admin.log_out, container.auth.deletion.delete):
        with pytest.raises(ForbiddenError):
            act(former, user.id)
    with pytest.raises(ForbiddenError):
        container.auth.admin.update(former, user.id, role=Role.ADMIN)
    assert somebody.call("GET", "/users/me").status_code == 200


def test_the_last_administrator_can_not_be_demoted_by_a_command(container: Container, two: list[Actor]) -> None:
    one, other = two
    assert one.user_id
    assert other.user_id
    container.auth.admin.update(one, other.user_id, disabled=True)
    with pytest.raises(ConflictError):
        container.auth.admin.update(Actor(None, ""), one.user_id, role=Role.USER)
    assert len(administrators(container)) == 1


def test_a_reset_wins_over_a_change_by_the_password_that_it_replaces(
    container: Container, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attacker with password and session changes the password while the owner resets it by a link."""
    owners = "the owner has a new one"
    with storage_of(container).write() as work:
        user = work.users.by_email(person.email)
        assert user
        reset = PasswordReset(new_id(), user.id, utc_now() + LIFETIME)
        work.resets.add(reset)
    verify = Passwords.verify

    def verify_then_reset(self: Passwords, password_hash: str | None, password: str) -> bool:
        fits = verify(self, password_hash, password)
        monkeypatch.setattr(Passwords, "verify", verify)
        container.auth.resets.confirm(container.auth.resets._tokens.sign(reset.id), owners, REMOTE)
        return fits

    monkeypatch.setattr(Passwords, "verify", verify_then_reset)
    body = {"current_password": PASSWORD, "new_password": "the thief has a new one"}
    problem = assert_problem(person.call("POST", "/users/me/password", json=body), 422)
    assert [error["field"] for error in problem["errors"]] == ["current_password"]
    for password, status in (("the thief has a new one", 401), (PASSWORD, 401), (owners, 200)):
        answer = person.client.post("/api/v1/auth/login", json={"email": person.email, "password": password})
        assert answer.status_code == status


@pytest.mark.parametrize("application", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_an_account_that_is_deleted_during_a_refresh_waits_for_its_end(
    container: Container, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = container.platform.tokens.verify(person.access_token).user_id
    use = SqlSessions.use_refresh_token

    with ThreadPoolExecutor(1) as threads:
        deletions = []

        def delete_then_use(self: SqlSessions, token_id: UUID, now: datetime) -> datetime | None:
            deletions.append(threads.submit(container.auth.deletion.delete_own, user_id, PASSWORD, REMOTE))
            wait(deletions, TOGETHER)
            return use(self, token_id, now)

        monkeypatch.setattr(SqlSessions, "use_refresh_token", delete_then_use)
        assert person.refresh().status_code == 200
        deletions[0].result(30)
    assert_problem(person.call("GET", "/users/me"), 401)
    assert_problem(person.refresh(), 401)


def test_of_two_concurrent_changes_of_a_password_one_succeeds(
    container: Container, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Person(person.client, person.email).login()
    both = threading.Barrier(2)
    hash_password = Passwords.hash

    def hash_together(self: Passwords, password: str) -> str:
        made = hash_password(self, password)
        both.wait(30)
        return made

    sessions = []
    for each in (person, elsewhere):
        claims = container.platform.tokens.verify(each.access_token)
        sessions.append((claims.user_id, claims.session_id))
    monkeypatch.setattr(Passwords, "hash", hash_together)
    raised = outcomes(
        [
            partial(container.auth.service.change_password, *who, PASSWORD, f"password {number}")
            for number, who in enumerate(sessions)
        ]
    )
    assert sorted(map(str, raised)) == sorted(map(str, [None, InvalidError]))
