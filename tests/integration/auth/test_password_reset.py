"""Password reset by a mailed link, valid once and for half an hour.

Numbers such as V6.4.3 are requirements of the OWASP Application Security Verification Standard 5.0.0.
"""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select, text, update
from werkzeug.test import TestResponse

from app.auth.password_resets import MAIL
from app.auth.tables import AuditRow, PasswordResetRow
from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.bootstrap.schema import tables
from app.core.jobs.tables import JobRow
from app.core.security.keys import derive
from app.core.security.signed_ids import SignedIds
from tests.support.api import PASSWORD, V1, Person, assert_problem
from tests.support.server import SECRET
from tests.support.settings import make_settings
from tests.support.smtp import Inbox, mail_server
from tests.support.storage import storage_of

NEW = "staple battery horse"
URL = "https://tasks.example.org"


@dataclass
class Scene:
    """An application, its mail server, and a user with an account."""

    parts: Container
    client: FlaskClient
    inbox: Inbox
    person: Person

    def register(self) -> None:
        """Register the user; empties the inbox."""
        self.person.register()
        self.parts.inline.run_short_jobs()
        self.inbox.mails.clear()

    def ask(self, email: str) -> TestResponse:
        return self.client.post(f"{V1}/auth/password-reset", json={"email": email})

    def token(self) -> str:
        """Request a link and return its token."""
        assert self.ask(self.person.email).status_code == 202
        self.parts.inline.run_short_jobs()
        mail = self.inbox.mails[-1]
        assert mail["To"] == self.person.email
        [token] = re.findall(rf"{re.escape(URL)}/#/reset\?token=([\w.-]+)\r?$", mail.get_content(), re.MULTILINE)
        return str(token)

    def confirm(self, token: str, password: str = NEW) -> TestResponse:
        return self.client.post(f"{V1}/auth/password-reset/confirm", json={"token": token, "password": password})

    def log_in(self, password: str) -> int:
        body = {"email": self.person.email, "password": password}
        return self.client.post(f"{V1}/auth/login", json=body).status_code


@pytest.fixture
def start(database_url: str) -> Iterator[Callable[..., Scene]]:
    """Starts an application with a mail server."""
    containers: list[Container] = []
    with mail_server() as inbox:

        def begin(**settings: Any) -> Scene:
            mail = {"smtp_host": "127.0.0.1", "smtp_port": inbox.port, "smtp_tls": "none", "public_url": URL}
            parts = build(make_settings(database_url, mail_from="noreply@example.org", **mail, **settings))
            containers.append(parts)
            client = create_app(parts).test_client()
            return Scene(parts, client, inbox, Person(client))

        yield begin
    for parts in containers:
        parts.database.dispose()


@pytest.fixture
def scene(start: Callable[..., Scene]) -> Scene:
    started = start(rate_limit_reset="1000 per hour")
    started.register()
    return started


def test_the_link_of_the_mail_replaces_the_password_and_ends_every_session(scene: Scene) -> None:
    """V6.4.3, V7.4.3"""
    assert scene.confirm(scene.token()).status_code == 204
    assert (scene.log_in(PASSWORD), scene.log_in(NEW)) == (401, 200)
    assert_problem(scene.person.call("GET", "/users/me"), 401)
    assert_problem(scene.person.refresh(), 401)


def test_a_reset_is_in_the_audit_log(scene: Scene) -> None:
    scene.confirm(scene.token())
    with storage_of(scene.parts).read() as work:
        [entry] = work.session.scalars(select(AuditRow)).all()
        user = work.users.by_email(scene.person.email)
    assert user is not None
    assert (entry.action, entry.actor_id, entry.subject_id) == ("password.reset", user.id, user.id)
    assert entry.remote == "127.0.0.1"


def test_a_link_works_once(scene: Scene) -> None:
    """V6.5.1"""
    token = scene.token()
    assert scene.confirm(token).status_code == 204
    problem = assert_problem(scene.confirm(token, "another password"), 422)
    assert [error["field"] for error in problem["errors"]] == ["token"]
    assert scene.log_in(NEW) == 200


def test_of_concurrent_uses_of_a_link_one_succeeds(scene: Scene) -> None:
    token = scene.token()
    clients = [create_app(scene.parts).test_client() for _ in range(4)]  # as many as may hash or queue
    start = threading.Barrier(len(clients))

    def use(number: int) -> int:
        start.wait(30)
        body = {"token": token, "password": f"{NEW} {number}"}
        return clients[number].post(f"{V1}/auth/password-reset/confirm", json=body).status_code

    with ThreadPoolExecutor(len(clients)) as threads:
        answers = list(threads.map(use, range(len(clients))))
    assert sorted(answers) == [204, 422, 422, 422]


def test_a_link_is_good_for_half_an_hour(scene: Scene) -> None:
    """V6.5.5"""
    token = scene.token()
    with storage_of(scene.parts).write() as work:
        [row] = work.session.scalars(select(PasswordResetRow)).all()
        assert timedelta(minutes=29) < row.expires_at - datetime.now(UTC) <= timedelta(minutes=30)
        work.session.execute(update(PasswordResetRow).values(expires_at=datetime.now(UTC)))
    assert_problem(scene.confirm(token), 422)
    assert scene.log_in(PASSWORD) == 200


def test_a_queued_mail_with_an_expired_link_is_not_sent(scene: Scene) -> None:
    assert scene.ask(scene.person.email).status_code == 202
    with storage_of(scene.parts).write() as work:
        work.session.execute(update(PasswordResetRow).values(expires_at=datetime.now(UTC)))
    assert scene.parts.inline.run_short_jobs()
    assert scene.inbox.mails == []


def test_no_link_outlives_a_change_of_the_password(scene: Scene) -> None:
    first, second = scene.token(), scene.token()
    assert scene.confirm(second).status_code == 204
    assert_problem(scene.confirm(first), 422)
    third = scene.token()
    scene.client.post(f"{V1}/auth/login", json={"email": scene.person.email, "password": NEW})
    again = Person(scene.client, scene.person.email)
    again._keep(scene.client.post(f"{V1}/auth/login", json={"email": scene.person.email, "password": NEW}))
    change = {"current_password": NEW, "new_password": "yet another one"}
    assert again.call("POST", "/users/me/password", json=change).status_code == 204
    assert_problem(scene.confirm(third), 422)


def test_an_unknown_address_is_answered_by_the_same_work(scene: Scene) -> None:
    """V6.3.8: neither response nor response time discloses an account."""
    statements: list[str] = []
    engine = scene.parts.database.writer
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    answers, work = [], []
    for email in (scene.person.email, f"{uuid4().hex}@example.com"):
        statements.clear()
        answer = scene.ask(email)
        work.append(list(statements))
        answers.append((answer.status_code, answer.data))
    assert answers == [(202, b"")] * 2
    assert work[0] == work[1]
    assert len(work[0]) > 2
    scene.parts.inline.run_short_jobs()
    assert [mail["To"] for mail in scene.inbox.mails] == [scene.person.email]


def test_a_locked_account_gets_no_link(scene: Scene) -> None:
    with storage_of(scene.parts).write() as work:
        user = work.users.by_email(scene.person.email)
        assert user is not None
        work.users.set_disabled(user.id, datetime.now(UTC))
    assert scene.ask(scene.person.email).status_code == 202
    scene.parts.inline.run_short_jobs()
    assert scene.inbox.mails == []


def test_the_token_of_the_link_is_stored_in_no_table(scene: Scene) -> None:
    """V11.4: the content of the database does not suffice to forge a link."""
    token = scene.token()
    signature = token.partition(".")[2]
    with storage_of(scene.parts).read() as work:
        for table in tables():
            rows = work.session.execute(text(f"SELECT * FROM {table}")).all()  # noqa: S608 a name of ours
            assert signature not in str(rows), table
        [parameters] = work.session.scalars(select(JobRow.parameters).where(JobRow.kind == MAIL))
    assert list(parameters) == ["reset_id"]


def test_the_token_of_the_link_is_not_logged(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """V16.2.5"""
    token = scene.token()
    scene.confirm(token, "short")
    scene.confirm(token)
    logged = capsys.readouterr().out
    assert logged.count("/api/v1/auth/password-reset") > 2
    assert token.partition(".")[2] not in logged
    assert scene.person.email not in logged


def test_mails_to_one_address_are_limited_whether_or_not_it_is_known(start: Callable[..., Scene]) -> None:
    """V2.4.1"""
    scene = start(rate_limit_reset="2 per hour")
    scene.register()
    for email in (scene.person.email, f"{uuid4().hex}@example.com"):
        assert [scene.ask(each).status_code for each in (email, email.upper(), email)] == [202, 202, 429]


def test_reset_requests_of_one_client_address_are_limited(start: Callable[..., Scene]) -> None:
    scene = start(rate_limit_reset_address="3 per hour")
    assert [scene.ask(f"{number}@example.org").status_code for number in range(4)] == [202, 202, 202, 429]


def test_a_link_outlives_the_change_of_the_secret_key(start: Callable[..., Scene]) -> None:
    before = start()
    before.register()
    token = before.token()
    replaced = {"secret_key": f"{SECRET}-new"}
    after = replace(before, client=create_app(start(**replaced, secret_keys_accepted=SECRET).parts).test_client())
    strange = replace(before, client=create_app(start(**replaced).parts).test_client())
    assert_problem(strange.confirm(token), 422)
    assert after.confirm(token).status_code == 204


@given(identifier=st.uuids(), position=st.integers(0, 75), character=st.sampled_from("0aZ_-."))
def test_a_modified_token_is_rejected(identifier: UUID, position: int, character: str) -> None:
    signed = SignedIds(derive(SECRET, "password-reset"))
    token = signed.sign(identifier)
    assert len(token) == 76
    assert signed.verify(token) == identifier
    changed = token[:position] + character + token[position + 1 :]
    assert signed.verify(changed) == (identifier if changed == token else None)
    assert SignedIds(derive(SECRET, "cursor")).verify(token) is None
