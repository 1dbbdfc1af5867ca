"""Notifications: exactly once, in the front end, and by mail according to preferences."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select, update

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.core.clock import new_id, utc_now
from app.core.database.engine import Database
from app.core.database.user_versions import touch
from app.core.events.model import Event
from app.core.events.tables import OutboxRow
from app.core.jobs.background import Cleaner
from app.core.jobs.model import Job
from app.core.jobs.tables import JobRow
from app.notifications.consumers import RecipientProjection
from app.notifications.model import Preferences
from app.notifications.retention import NOTIFICATIONS
from app.notifications.tables import NotificationRow
from tests.support.api import Person, assert_problem
from tests.support.notifications import carry, remind_of
from tests.support.retention import RULES
from tests.support.smtp import Inbox
from tests.support.storage import SystemStorage, storage_of
from tests.support.verification import verified


def listed(person: Person, **query: object) -> dict[str, Any]:
    answer = person.call("GET", "/notifications", query_string=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.get_json()
    return page


def test_a_reminder_creates_a_notification_and_a_mail(mailing: Container, inbox: Inbox) -> None:
    person = verified(mailing, Person(create_app(mailing).test_client()).register(), inbox)
    task = person.create(title="Grüße an Ada", remind_at=datetime.now(UTC).isoformat())
    carry(mailing)
    page = listed(person)
    [notification] = page["items"]
    assert (notification["kind"], notification["task_id"], notification["title"], notification["read_at"]) == (
        "reminder", task["id"], "Grüße an Ada", None
    )  # fmt: skip
    assert (page["unread"], page["next_cursor"]) == (1, None)
    [mail] = inbox.mails
    assert (mail["To"], mail["Subject"]) == (person.email, "Reminder: Grüße an Ada")
    assert "https://tasks.example.org/#/tasks" in mail.get_content()


def test_a_duplicate_event_creates_nothing_more(mailing: Container, inbox: Inbox) -> None:
    person = verified(mailing, Person(create_app(mailing).test_client()).register(), inbox)
    remind_of(mailing, person)
    with storage_of(mailing).write() as work:
        work.session.execute(update(OutboxRow).values(carried_at=None))
    carry(mailing)
    assert listed(person)["unread"] == 1
    assert len(inbox.mails) == 1


def test_without_reminder_mails_there_is_a_notification_only(mailing: Container, inbox: Inbox) -> None:
    person = verified(mailing, Person(create_app(mailing).test_client()).register(), inbox)
    preferences = {"reminder_mails": True, "weekly_report": False}
    assert person.call("GET", "/notifications/preferences").get_json().items() >= preferences.items()
    answer = person.call("PATCH", "/notifications/preferences", json={"reminder_mails": False})
    assert answer.get_json().items() >= {**preferences, "reminder_mails": False}.items()
    assert person.call("PATCH", "/notifications/preferences", json={}).get_json() == answer.get_json()
    remind_of(mailing, person)
    assert listed(person)["unread"] == 1
    assert inbox.mails == []
    assert jobs(mailing) == ["email_verification"]


def test_a_queued_mail_is_not_sent_after_unsubscribing(mailing: Container, inbox: Inbox) -> None:
    person = verified(mailing, Person(create_app(mailing).test_client()).register(), inbox)
    inbox.to_mail = "451 later"
    remind_of(mailing, person)
    inbox.to_mail = "250 OK"
    person.call("PATCH", "/notifications/preferences", json={"reminder_mails": False})
    with storage_of(mailing).write() as work:
        work.session.execute(update(JobRow).where(JobRow.state == "queued").values(due_at=utc_now()))
    assert mailing.inline.run_short_jobs()
    assert inbox.mails == []
    with storage_of(mailing).read() as work:
        assert set(work.session.scalars(select(JobRow.state))) == {"succeeded"}


def jobs(container: Container) -> list[str]:
    """Return the kinds of all jobs so far."""
    with storage_of(container).read() as work:
        return sorted(work.session.scalars(select(JobRow.kind)))


def report_on_last_week(container: Container, person: Person) -> None:
    """Make the report of a week in which the user completed a task."""
    person.create(status="done")
    carry(container)
    due = utc_now().date() + timedelta(days=7)
    with storage_of(container).write() as work:
        work.jobs.add(Job(new_id(), None, "reports", utc_now(), parameters={"due": str(due)}))
    while container.inline.run_once():
        pass
    carry(container)


def test_the_weekly_report_is_mailed_to_subscribers(mailing: Container, inbox: Inbox) -> None:
    client = create_app(mailing).test_client()
    person, other = (verified(mailing, Person(client).register(), inbox) for _ in range(2))
    person.call("PATCH", "/notifications/preferences", json={"weekly_report": True})
    other.create()
    report_on_last_week(mailing, person)
    [mail] = inbox.mails
    year, week, _ = utc_now().isocalendar()
    assert (mail["To"], mail["Subject"]) == (person.email, f"Your week {year}-W{week:02}")
    text, attached = mail.iter_parts()
    assert f"in week {year}-W{week:02} you created 1 and completed 1 tasks" in text.get_content()
    assert "https://tasks.example.org/#/statistics" in text.get_content()
    assert (attached.get_content_type(), attached.get_filename()) == ("application/pdf", f"week-{year}-W{week:02}.pdf")
    assert f"Week {week}:" in PdfReader(io.BytesIO(attached.get_content())).pages[0].extract_text()


def test_no_report_is_made_without_a_subscription(mailing: Container, inbox: Inbox) -> None:
    report_on_last_week(mailing, verified(mailing, Person(create_app(mailing).test_client()).register(), inbox))
    assert jobs(mailing) == ["email_verification", "reports"]
    assert inbox.mails == []


def test_a_finished_report_is_not_mailed_after_unsubscribing(mailing: Container, inbox: Inbox) -> None:
    person = verified(mailing, Person(create_app(mailing).test_client()).register(), inbox)
    with storage_of(mailing).write() as work:
        user = work.users.by_email(person.email)
        assert user is not None
        facts: dict[str, object] = {"week": "2030-W01", "created": 1, "completed": 1, "pdf": ""}
        work.outbox.add(Event(new_id(), "report.ready", user.id, utc_now(), facts))
    carry(mailing)
    assert jobs(mailing) == ["email_verification"]
    assert inbox.mails == []


def test_a_queued_report_mail_is_not_sent_after_unsubscribing(mailing: Container, inbox: Inbox) -> None:
    person = verified(mailing, Person(create_app(mailing).test_client()).register(), inbox)
    person.call("PATCH", "/notifications/preferences", json={"weekly_report": True})
    inbox.to_mail = "451 later"
    report_on_last_week(mailing, person)
    inbox.to_mail = "250 OK"
    person.call("PATCH", "/notifications/preferences", json={"weekly_report": False})
    with storage_of(mailing).write() as work:
        work.session.execute(update(JobRow).where(JobRow.state == "queued").values(due_at=utc_now()))
    assert mailing.inline.run_short_jobs()
    assert inbox.mails == []


def test_the_list_is_read_page_by_page_without_gap_or_repetition(person: Person, container: Container) -> None:
    newest_first = [remind_of(container, person, f"Task {number}") for number in range(5)][::-1]
    found: list[str] = []
    cursor: object = None
    for expected in (2, 2, 1):
        page = listed(person, limit=2, **({"cursor": cursor} if cursor else {}))
        ids = [each["id"] for each in page["items"]]
        assert (len(ids), page["unread"]) == (expected, 5)
        found += ids
        cursor = page["next_cursor"]
    assert found == newest_first
    assert cursor is None


def test_a_read_notification_stays_and_is_not_counted_as_unread(person: Person, container: Container) -> None:
    first, second, third = (remind_of(container, person) for _ in range(3))
    del third
    for _ in range(2):
        assert person.call("POST", f"/notifications/{first}/read").status_code == 204
    page = listed(person)
    assert page["unread"] == 2
    read = {each["id"]: each["read_at"] for each in page["items"]}
    assert read[first] is not None
    assert read[second] is None
    assert person.call("POST", "/notifications/read").status_code == 204
    again = listed(person)
    assert again["unread"] == 0
    assert {each["id"]: each["read_at"] for each in again["items"]}[first] == read[first]


def test_notifications_of_other_users_can_not_be_marked_as_read(
    new_person: Callable[[], Person], container: Container
) -> None:
    """V8.2.2"""
    one, other = new_person(), new_person()
    notification_id = remind_of(container, one)
    assert_problem(other.call("POST", f"/notifications/{notification_id}/read"), 404)
    assert other.call("POST", "/notifications/read").status_code == 204
    assert (listed(one)["unread"], listed(other)["items"]) == (1, [])


@pytest.mark.parametrize("body", [{"reminder_mails": "yes"}, {"reminder_mails": None}, {"sms": True}])
def test_preferences_are_true_or_false(person: Person, body: dict[str, object]) -> None:
    assert_problem(person.call("PATCH", "/notifications/preferences", json=body), 422)


def test_recipients_follow_the_accounts(person: Person, container: Container) -> None:
    person.call("PATCH", "/users/me", json={"name": "Amazing Grace"})
    carry(container)
    with storage_of(container).read() as work:
        user = work.users.by_email(person.email)
        assert user is not None
        recipient = work.recipients.get(user.id)
    assert recipient is not None
    assert (recipient.email, recipient.name) == (person.email, "Amazing Grace")


def test_a_late_older_event_changes_nothing(database: Database) -> None:
    user_id, now = new_id(), utc_now()
    newer = Event(new_id(), "user.changed", user_id, now, {"email": "new@example.org", "name": "New"})
    older = replace(newer, name="user.registered", at=now - timedelta(1), payload={"email": "old@x.org", "name": "Old"})
    with SystemStorage(database).write() as work:
        for event in (newer, older):
            RecipientProjection().handle(work, event)
        recipient = work.recipients.get(user_id)
    assert recipient is not None
    assert (recipient.email, recipient.name) == ("new@example.org", "New")


def test_old_notifications_are_deleted(person: Person, container: Container) -> None:
    remind_of(container, person)
    kept = remind_of(container, person)
    now = utc_now()
    with storage_of(container).write() as work:
        oldest = select(NotificationRow.id).order_by(NotificationRow.id).limit(1).scalar_subquery()
        work.session.execute(
            update(NotificationRow).where(NotificationRow.id == oldest).values(created_at=now - NOTIFICATIONS)
        )
    Cleaner(storage_of(container), lambda: now + timedelta(seconds=1), lambda: False, RULES).run_once()
    assert [each["id"] for each in listed(person)["items"]] == [kept]


def test_the_service_runs_alone(container: Container, person: Person, keys_url: str) -> None:
    settings = container.settings.model_copy(update={"jwks_url": keys_url})
    alone = replace(person, client=create_app(build(settings, services=("notifications",))).test_client())
    assert listed(alone)["unread"] == 0
    assert_problem(alone.call("GET", "/tasks"), 404)
    assert_problem(alone.client.post("/api/v1/auth/login", json={}), 404)


def test_concurrent_changes_of_different_preferences_both_apply(
    container: Container, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = container.platform.tokens.verify(person.access_token).user_id
    both = threading.Barrier(2)

    def touch_together(*args: Any) -> None:
        with suppress(threading.BrokenBarrierError):  # where the row lock serialises them
            both.wait(1)
        touch(*args)

    monkeypatch.setattr("app.notifications.repository.touch", touch_together)
    changes = [{"reminder_mails": False}, {"weekly_report": True}]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(partial(container.notifications.service.prefer, user_id), changes))
    assert container.notifications.service.preferences(user_id) == Preferences(reminder_mails=False, weekly_report=True)
