"""E-mail verification: an unverified address gets no mail but links."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.auth.email_verification import MAIL, EmailVerificationService
from app.bootstrap.container import Container
from app.bootstrap.http import create_app
from app.core.clock import new_id, utc_now
from app.core.database.engine import Database
from app.core.events.model import Event
from app.core.jobs.tables import JobRow
from app.core.security.keys import derive
from app.core.security.signed_ids import SignedIds
from app.core.security.signing import Signer
from app.notifications.consumers import RecipientProjection
from tests.support.api import V1, Person, assert_problem
from tests.support.notifications import carry
from tests.support.server import SECRET
from tests.support.smtp import Inbox
from tests.support.storage import SystemStorage, storage_of
from tests.support.verification import confirm, verification_token, verified

EMAIL = "grace@example.org"


@pytest.fixture
def mailing(start_mailing: Callable[..., Container]) -> Container:
    return start_mailing()


@pytest.fixture
def somebody(mailing: Container) -> Person:
    """A registered user with an unverified address."""
    person = Person(create_app(mailing).test_client()).register()
    carry(mailing)
    return person


def me(person: Person) -> dict[str, Any]:
    answer: dict[str, Any] = person.call("GET", "/users/me").get_json()
    return answer


def remind(container: Container, person: Person, times: int = 1) -> None:
    for number in range(times):
        person.create(title=f"Cheap pills {number}", remind_at=datetime.now(UTC).isoformat())
    carry(container)


def test_the_link_of_the_mail_verifies_the_address(mailing: Container, somebody: Person, inbox: Inbox) -> None:
    assert (me(somebody)["email_verified"], me(somebody)["mail_enabled"]) == (False, True)
    [mail] = inbox.mails
    assert (mail["To"], mail["Subject"]) == (somebody.email, "Verify your e-mail address")
    token = verification_token(inbox, somebody.email)
    for _ in range(2):
        assert confirm(somebody, token).status_code == 204
        assert me(somebody)["email_verified"] is True
    carry(mailing)
    remind(mailing, somebody)
    assert [mail["Subject"] for mail in inbox.mails[1:]] == ["Reminder: Cheap pills 0"]


def test_a_hundred_reminders_to_an_unverified_address_send_nothing(
    mailing: Container, somebody: Person, inbox: Inbox
) -> None:
    inbox.mails.clear()
    remind(mailing, somebody, times=100)
    assert inbox.mails == []
    assert somebody.call("GET", "/notifications").get_json()["unread"] == 100
    assert confirm(somebody, new_token(mailing, somebody, inbox)).status_code == 204
    carry(mailing)
    assert len(inbox.mails) == 1, "suppressed mails are not sent later"


def new_token(container: Container, person: Person, inbox: Inbox) -> str:
    assert person.call("POST", "/auth/verification").status_code == 202
    carry(container)
    return verification_token(inbox, person.email)


def test_the_verification_mail_contains_no_text_of_the_account(mailing: Container, inbox: Inbox) -> None:
    person = Person(create_app(mailing).test_client())
    name = "Win at https://evil.example"
    body = {"email": person.email, "password": "correct horse battery", "name": name}
    assert person.client.post(f"{V1}/auth/register", json=body).status_code == 201
    carry(mailing)
    assert "evil" not in inbox.mails[0].as_string()


def test_a_forged_link_or_one_of_another_kind_is_rejected(somebody: Person, inbox: Inbox) -> None:
    token = verification_token(inbox, somebody.email)
    user_id, expires, signature = token.split(".")
    reset = SignedIds(derive(SECRET, "password-reset")).sign(new_id())
    later = f"{user_id}.{int(expires) + 9}.{signature}"
    other = f"{uuid4().hex}.{expires}.{signature}"
    for wrong in (later, other, reset, token[:-1], f"{token}.", "", "x" * 200):
        problem = assert_problem(confirm(somebody, wrong), 422)
        assert [error["field"] for error in problem["errors"]] == ["token"]
    assert me(somebody)["email_verified"] is False


def test_a_link_is_good_for_three_days(mailing: Container, somebody: Person) -> None:
    now = utc_now()

    def at(time: datetime) -> EmailVerificationService:
        signer = Signer(derive(SECRET, "email-verification"))
        return EmailVerificationService(storage_of(mailing), signer, "https://x.example.org", lambda: time, new_id)

    with storage_of(mailing).read() as work:
        user = work.users.by_email(somebody.email)
    assert user is not None
    written = at(now - timedelta(days=3)).write({"user_id": str(user.id)})
    assert written is not None
    assert_problem(confirm(somebody, written.text.partition("token=")[2].split()[0]), 422)
    written = at(now - timedelta(days=3, minutes=-5)).write({"user_id": str(user.id)})
    assert written is not None
    assert confirm(somebody, written.text.partition("token=")[2].split()[0]).status_code == 204


def test_a_link_proves_the_address_that_it_was_sent_to(mailing: Container, somebody: Person, inbox: Inbox) -> None:
    token = verification_token(inbox, somebody.email)
    with storage_of(mailing).write() as work:
        user = work.users.by_email(somebody.email)
        assert user is not None
        work.users._set(user.id, email="another@example.org")
    assert_problem(confirm(somebody, token), 422)


def test_a_new_password_by_mail_verifies_the_address(mailing: Container, somebody: Person, inbox: Inbox) -> None:
    somebody.client.post(f"{V1}/auth/password-reset", json={"email": somebody.email})
    carry(mailing)
    token = inbox.mails[-1].get_content().partition("token=")[2].split()[0]
    body = {"token": token, "password": "correct horse battery"}
    assert somebody.client.post(f"{V1}/auth/password-reset/confirm", json=body).status_code == 204
    somebody.login()
    assert me(somebody)["email_verified"] is True
    carry(mailing)
    inbox.mails.clear()
    remind(mailing, somebody)
    assert len(inbox.mails) == 1


def test_another_link_is_sent_until_the_address_is_verified(mailing: Container, somebody: Person, inbox: Inbox) -> None:
    new_token(mailing, somebody, inbox)
    assert len(inbox.mails) == 2
    verified(mailing, somebody, inbox)
    assert somebody.call("POST", "/auth/verification").status_code == 202
    carry(mailing)
    assert inbox.mails == []


def test_a_verification_mail_that_waits_is_not_sent_once_the_address_is_verified(
    mailing: Container, somebody: Person, inbox: Inbox
) -> None:
    token = verification_token(inbox, somebody.email)
    assert somebody.call("POST", "/auth/verification").status_code == 202
    assert confirm(somebody, token).status_code == 204
    carry(mailing)
    assert len(inbox.mails) == 1


def test_a_locked_account_gets_no_link(mailing: Container, inbox: Inbox) -> None:
    person = Person(create_app(mailing).test_client()).register()
    with storage_of(mailing).write() as work:
        user = work.users.by_email(person.email)
        assert user is not None
        work.users.set_disabled(user.id, utc_now())
    carry(mailing)
    assert inbox.mails == []


def test_links_are_limited_by_account_and_by_client_address(start_mailing: Callable[..., Container]) -> None:
    by_account = Person(create_app(start_mailing(rate_limit_reset="2 per hour")).test_client()).register()
    assert [by_account.call("POST", "/auth/verification").status_code for _ in range(3)] == [202, 202, 429]
    client = create_app(start_mailing(rate_limit_reset_address="2 per hour")).test_client()
    people = [Person(client).register() for _ in range(3)]
    assert [person.call("POST", "/auth/verification").status_code for person in people] == [202, 202, 429]


def test_without_a_mail_server_verification_is_off(container: Container, person: Person) -> None:
    assert (me(person)["email_verified"], me(person)["mail_enabled"]) == (False, False)
    with storage_of(container).read() as work:
        assert list(work.session.scalars(select(JobRow.kind).where(JobRow.kind == MAIL))) == []


def test_all_unverified_accounts_can_be_sent_a_link(
    mailing: Container, somebody: Person, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.auth.email_verification.BATCH", 2)
    client = somebody.client
    waiting = {somebody.email, *(Person(client).register().email for _ in range(4))}
    verified(mailing, Person(client).register(), inbox)
    assert mailing.auth.verification.request_all() == len(waiting)
    carry(mailing)
    assert sorted(mail["To"] for mail in inbox.mails) == sorted(waiting)


def changed(at: datetime, email: str = EMAIL, **facts: object) -> Event:
    return Event(new_id(), "user.changed", None, at, {"email": email, "name": "Grace", **facts})


@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "late"])
@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        ([{}, {"verified": True}], True),
        ([{"verified": True}, {}], True),
        ([{"verified": True}, {"verified": False}], True),
        ([{"verified": True}, {"email": "new@example.org", "verified": False}], False),
        ([{"verified": True}, {"email": "new@example.org"}], False),
        ([{"email": "old@example.org"}, {"verified": True}], True),
        ([{}, {"verified": False}], False),
        ([{}, {"verified": "no"}], False),
    ],
)
def test_an_address_stays_verified_in_any_order_of_events(
    database: Database, payloads: list[dict[str, Any]], expected: bool, reverse: bool
) -> None:
    """Events of the previous release lack the field; each may arrive late or twice."""
    user_id, now = new_id(), utc_now()
    events = [
        replace(changed(now + timedelta(seconds=number), **payload), user_id=user_id)
        for number, payload in enumerate(payloads)
    ]
    with SystemStorage(database).write() as work:
        for event in [*(events[::-1] if reverse else events), events[0]]:
            RecipientProjection().handle(work, event)
        recipient = work.recipients.get(user_id)
    assert recipient is not None
    assert recipient.verified is expected
    assert recipient.email == events[-1].payload["email"]
