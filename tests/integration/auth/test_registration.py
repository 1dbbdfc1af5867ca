"""Registration with mail enabled: only a mail, not the response, discloses an existing account."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.auth.tables import UserRow
from app.bootstrap.container import Container
from app.bootstrap.http import create_app
from app.core.clock import utc_now
from tests.support.api import PASSWORD, V1, Person, assert_problem
from tests.support.notifications import carry
from tests.support.smtp import Inbox
from tests.support.storage import storage_of
from tests.support.verification import verified

ANOTHER = "another good password"
OWN = ("id", "email", "name", "created_at")
"""Fields that differ between the responses to two registrations."""


def register(person: Person, email: str, password: str = ANOTHER) -> TestResponse:
    body = {"email": email, "password": password, "name": "Mallory"}
    return person.client.post(f"{V1}/auth/register", json=body)


def test_a_known_address_is_answered_like_a_new_one(start_mailing: Callable[..., Container], inbox: Inbox) -> None:
    mailing = start_mailing()
    owner = verified(mailing, Person(create_app(mailing).test_client()).register(), inbox)
    new = register(owner, "new@example.org")
    known = register(owner, owner.email.upper())
    assert known.status_code == new.status_code == 201
    assert [*known.headers.keys()] == [*new.headers.keys()]
    bodies = new.get_json(), known.get_json()
    assert [{**body, **dict.fromkeys(OWN)} for body in bodies] == [{**bodies[0], **dict.fromkeys(OWN)}] * 2
    assert (known.get_json()["email"], known.get_json()["name"]) == (owner.email, "Mallory")
    assert UUID(known.get_json()["id"]).version == UUID(new.get_json()["id"]).version
    with storage_of(mailing).read() as work:
        account = work.users.by_email(owner.email)
    assert account is not None
    assert known.get_json()["id"] != str(account.id)


def test_the_owner_of_a_known_address_gets_a_mail_and_nothing_else_changes(
    start_mailing: Callable[..., Container], inbox: Inbox
) -> None:
    mailing = start_mailing()
    owner = verified(mailing, Person(create_app(mailing).test_client()).register(), inbox)
    before = owner.call("GET", "/users/me").get_json()
    assert register(owner, owner.email).status_code == 201
    carry(mailing)
    [mail] = inbox.mails
    assert (mail["To"], mail["Subject"]) == (owner.email, "You have an account already")
    text = mail.get_content()
    assert "https://x.example.org/#/login" in text
    assert "https://x.example.org/#/forgot" in text
    assert "Mallory" not in mail.as_string()
    assert owner.call("GET", "/users/me").get_json() == before
    login = {"email": owner.email, "password": ANOTHER}
    assert_problem(owner.client.post(f"{V1}/auth/login", json=login), 401)
    owner.login()


def test_registrations_of_one_address_at_once_make_one_account(
    start_mailing: Callable[..., Container], inbox: Inbox
) -> None:
    mailing = start_mailing()
    app, barrier = create_app(mailing), Barrier(4)

    def attempt(number: int) -> int:
        person = Person(app.test_client())
        barrier.wait(30)
        return register(person, "new@example.org", f"{PASSWORD} {number}").status_code

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(attempt, range(4))) == [201] * 4
    with storage_of(mailing).read() as work:
        assert work.session.scalar(select(func.count()).select_from(UserRow)) == 1
    carry(mailing)
    subjects = sorted(mail["Subject"] for mail in inbox.mails)
    assert subjects == ["Verify your e-mail address", *["You have an account already"] * 3]


def test_a_locked_account_is_answered_the_same_and_gets_no_mail(
    start_mailing: Callable[..., Container], inbox: Inbox
) -> None:
    mailing = start_mailing()
    owner = verified(mailing, Person(create_app(mailing).test_client()).register(), inbox)
    with storage_of(mailing).write() as work:
        user = work.users.by_email(owner.email)
        assert user is not None
        work.users.set_disabled(user.id, utc_now())
    assert register(owner, owner.email).status_code == 201
    carry(mailing)
    assert inbox.mails == []


def test_registrations_of_one_address_are_limited_whether_or_not_it_is_known(
    start_mailing: Callable[..., Container],
) -> None:
    client = create_app(start_mailing(rate_limit_reset="3 per hour")).test_client()
    owner = Person(client).register()
    assert [register(owner, owner.email).status_code for _ in range(3)] == [201, 201, 429]
    assert [register(owner, "NEW@example.org").status_code for _ in range(4)] == [201, 201, 201, 429]


def test_without_a_mail_server_a_known_address_is_a_conflict(person: Person) -> None:
    for _ in range(8):
        assert_problem(register(person, person.email), 409)
