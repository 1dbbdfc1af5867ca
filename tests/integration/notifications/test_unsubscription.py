"""One-click unsubscription by the link of a mail (RFC 8058)."""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from app.bootstrap.container import Container
from app.bootstrap.http import create_app
from tests.support.api import PASSWORD, Person
from tests.support.background import dispatch_events, do_jobs
from tests.support.notifications import carry, remind_of
from tests.support.smtp import Inbox
from tests.support.storage import storage_of

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def anybody(mailing: Container) -> FlaskClient:
    return create_app(mailing).test_client()


def link_of(inbox: Inbox) -> str:
    """Return path and query of the latest mail's link."""
    url = re.fullmatch(r"<(https://tasks\.example\.org/.+)>", inbox.mails[-1]["List-Unsubscribe"])
    assert url is not None
    parts = urlsplit(url[1])
    return f"{parts.path}?{parts.query}"


def wants_reminders(person: Person) -> bool:
    return bool(person.call("GET", "/notifications/preferences").get_json()["reminder_mails"])


def test_one_click_without_a_login_ends_the_mails_of_that_kind(
    mailing: Container, grace: Person, inbox: Inbox, anybody: FlaskClient
) -> None:
    grace.call("PATCH", "/notifications/preferences", json={"weekly_report": True})
    remind_of(mailing, grace)
    assert inbox.mails[-1]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = link_of(inbox)
    assert f"https://tasks.example.org{link}" in inbox.texts()[-1], "for whose program has no button"
    for _ in range(2):
        answer = anybody.post(link, data=ONE_CLICK)
        assert (answer.status_code, answer.mimetype) == (200, "text/html")
        assert "no more mails about reminders" in answer.text
    assert not wants_reminders(grace)
    assert grace.call("GET", "/notifications/preferences").get_json()["weekly_report"]
    remind_of(mailing, grace)
    assert len(inbox.mails) == 1


def test_opening_the_link_asks_and_changes_nothing(
    mailing: Container, grace: Person, inbox: Inbox, anybody: FlaskClient
) -> None:
    remind_of(mailing, grace)
    link = link_of(inbox)
    answer = anybody.get(link)
    assert (answer.status_code, '<form method="post">' in answer.text) == (200, True)
    assert anybody.head(link).status_code == 200
    assert wants_reminders(grace)


def test_a_kind_that_has_no_field_of_its_own(
    mailing: Container, grace: Person, inbox: Inbox, anybody: FlaskClient
) -> None:
    grace.call("PATCH", "/notifications/preferences", json={"channels": {"overdue": {"email": True}}})
    grace.create(due_at=datetime.now(UTC).isoformat())
    carry(mailing)
    assert anybody.post(link_of(inbox), data=ONE_CLICK).status_code == 200
    channels = grace.call("GET", "/notifications/preferences").get_json()["channels"]
    assert channels["overdue"] == {"in_app": True, "email": False, "sms": False}
    assert wants_reminders(grace)


def test_a_link_is_good_for_one_user_and_kind(
    mailing: Container, grace: Person, inbox: Inbox, anybody: FlaskClient
) -> None:
    remind_of(mailing, grace)
    link = link_of(inbox)
    user, kind, signature = link.partition("token=")[2].split(".")
    forged = [
        f"{uuid4().hex}.{kind}.{signature}",
        f"{user}.report.{signature}",
        f"{user}.{kind}.{signature[:-2]}AA",
        f"{user}.birthday.{signature}",
        f"{user}.{kind}",
        "",
    ]
    for token in forged:
        for call in (anybody.get, anybody.post):
            answer = call(f"/api/v1/notifications/unsubscribe?token={token}")
            assert (answer.status_code, "not complete" in answer.text) == (422, True), token
    assert wants_reminders(grace)


def test_the_link_of_a_deleted_user_stores_nothing(
    mailing: Container, grace: Person, inbox: Inbox, anybody: FlaskClient
) -> None:
    remind_of(mailing, grace)
    grace.call("DELETE", "/users/me", json={"password": PASSWORD})
    dispatch_events(mailing)
    do_jobs(mailing)
    assert anybody.post(link_of(inbox), data=ONE_CLICK).status_code == 200
    with storage_of(mailing).read() as work:
        assert work.preferences.all_after(None, 10) == []
