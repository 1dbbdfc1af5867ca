"""Kinds and channels: what a user has chosen decides where a notification goes."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.bootstrap.container import Container
from app.core.clock import new_id, utc_now
from app.core.jobs.model import Job
from app.core.jobs.tables import JobRow
from app.notifications.model import DeliveryState
from app.notifications.tables import DeliveryRow
from tests.support.api import Person, assert_problem
from tests.support.background import do_jobs
from tests.support.notifications import carry
from tests.support.smtp import Inbox
from tests.support.storage import storage_of

PREFERENCES = "/notifications/preferences"


@pytest.fixture
def further_settings() -> dict[str, Any]:
    return {"daily_mails": 2}


def choose(person: Person, **preferences: object) -> dict[str, Any]:
    answer = person.call("PATCH", PREFERENCES, json=preferences)
    assert answer.status_code == 200, answer.text
    chosen: dict[str, Any] = answer.get_json()
    return chosen


def be_overdue(container: Container, person: Person, title: str = "Milk") -> None:
    person.create(title=title, due_at=datetime.now(UTC).isoformat())
    carry(container)


def inbox_of(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.call("GET", "/notifications/inbox").get_json()["items"]
    return found


def deliveries(container: Container) -> list[tuple[str, str, str | None]]:
    with storage_of(container).read() as work:
        rows = work.session.scalars(select(DeliveryRow).order_by(DeliveryRow.notification_id, DeliveryRow.channel))
        return [(row.channel, row.state, row.reason) for row in rows]


def test_the_defaults_are_as_before_and_new_kinds_stay_in_the_app(person: Person) -> None:
    found = person.call("GET", PREFERENCES).get_json()
    quiet = {"in_app": True, "email": False, "sms": False}
    assert found == {
        "reminder_mails": True,
        "weekly_report": False,
        "channels": {
            "reminder": {**quiet, "email": True},
            "overdue": quiet,
            "task_changed": quiet,
            "report": {**quiet, "in_app": False},
        },
        "email_suspended": None,
        "time_zone": "UTC",
        "quiet_hours": None,
    }


def test_an_overdue_task_goes_where_its_user_wants(mailing: Container, grace: Person, inbox: Inbox) -> None:
    be_overdue(mailing, grace)
    assert [(each["kind"], each["title"]) for each in inbox_of(grace)] == [("overdue", "Milk")]
    assert inbox.mails == []
    choose(grace, channels={"overdue": {"email": True, "in_app": False}})
    be_overdue(mailing, grace, "Bread")
    assert [mail["Subject"] for mail in inbox.mails] == ["Overdue: Bread"]
    assert [each["title"] for each in inbox_of(grace)] == ["Milk"]
    assert deliveries(mailing) == [("email", "sent", None)]


def test_the_former_list_has_reminders_alone(mailing: Container, grace: Person) -> None:
    be_overdue(mailing, grace)
    former = grace.call("GET", "/notifications").get_json()
    assert (former["items"], former["unread"]) == ([], 0)
    assert grace.call("GET", "/notifications/inbox").get_json()["unread"] == 1


def test_an_import_is_announced_when_it_has_finished(mailing: Container, grace: Person) -> None:
    content = b"title,status\nMilk,todo\nBread,nowhere\n"
    grace.call("POST", "/tasks/imports", data={"file": (io.BytesIO(content), "tasks.csv")})
    do_jobs(mailing)
    carry(mailing)
    [entry] = inbox_of(grace)
    told = (entry["kind"], entry["task_id"], entry["title"])
    assert told == ("task_changed", None, "Import finished: 1 task created, 1 line rejected")


def test_the_report_is_made_for_whoever_wants_it_by_any_channel(mailing: Container, grace: Person) -> None:
    choose(grace, channels={"report": {"in_app": True}})
    grace.create(status="done")
    carry(mailing)
    with storage_of(mailing).write() as work:
        due = str(utc_now().date() + timedelta(days=7))
        work.jobs.add(Job(new_id(), None, "reports", utc_now(), parameters={"due": due}))
    do_jobs(mailing)
    carry(mailing)
    year, week, _ = utc_now().isocalendar()
    assert [each["title"] for each in inbox_of(grace)] == [f"Your week {year}-W{week:02}: 1 task created, 1 completed"]


def test_both_forms_of_a_preference_are_one(person: Person) -> None:
    changed = choose(person, channels={"reminder": {"email": False}, "report": {"email": True}})
    assert (changed["reminder_mails"], changed["weekly_report"]) == (False, True)
    changed = choose(person, reminder_mails=True)
    assert changed["channels"]["reminder"]["email"] is True
    body = {"reminder_mails": False, "channels": {"reminder": {"email": True}}}
    assert_problem(person.call("PATCH", PREFERENCES, json=body), 422)
    assert person.call("GET", PREFERENCES).get_json() == changed


def test_quiet_hours_and_time_zone_are_kept_and_cleared(person: Person) -> None:
    hours = {"start": "22:30", "end": "07:00"}
    changed = choose(person, quiet_hours=hours, time_zone="Europe/Berlin")
    assert (changed["quiet_hours"], changed["time_zone"]) == (hours, "Europe/Berlin")
    assert choose(person, reminder_mails=False)["quiet_hours"] == hours
    assert choose(person, quiet_hours=None)["quiet_hours"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"time_zone": "Europe/Atlantis"},
        {"time_zone": "../../etc/passwd"},
        {"quiet_hours": {"start": "22:00"}},
        {"quiet_hours": {"start": "22:00", "end": "22:00"}},
        {"quiet_hours": {"start": "24:00", "end": "07:00"}},
        {"quiet_hours": {"start": "22:00:01", "end": "07:00"}},
        {"channels": {"birthday": {"email": True}}},
        {"channels": {"overdue": {"pigeon": True}}},
        {"channels": {"overdue": {"email": "yes"}}},
    ],
)
def test_other_values_are_refused(person: Person, body: dict[str, object]) -> None:
    assert_problem(person.call("PATCH", PREFERENCES, json=body), 422)


def test_mails_wait_for_the_end_of_the_quiet_hours(mailing: Container, grace: Person, inbox: Inbox) -> None:
    now = utc_now()
    hours = {"start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + timedelta(hours=2):%H:%M}"}
    choose(grace, channels={"overdue": {"email": True}}, quiet_hours=hours)
    be_overdue(mailing, grace)
    assert inbox.mails == []
    assert len(inbox_of(grace)) == 1
    with storage_of(mailing).read() as work:
        job = work.session.scalars(select(JobRow).where(JobRow.kind == "notification-mail")).one()
    assert (job.state, job.attempts, f"{job.due_at:%H:%M}") == ("queued", 0, hours["end"])
    choose(grace, quiet_hours=None)
    with storage_of(mailing).write() as work:
        work.session.execute(update(JobRow).where(JobRow.state == "queued").values(due_at=utc_now()))
    assert mailing.inline.run_short_jobs()
    assert len(inbox.mails) == 1


def test_what_is_above_the_limit_of_a_day_is_left_to_the_app(mailing: Container, grace: Person, inbox: Inbox) -> None:
    choose(grace, channels={"overdue": {"email": True, "in_app": False}})
    for title in ("One", "Two", "Three"):
        be_overdue(mailing, grace, title)
    assert [mail["Subject"] for mail in inbox.mails] == ["Overdue: One", "Overdue: Two"]
    assert ["the last mail for today" in text for text in inbox.texts()] == [False, True]
    assert [each["title"] for each in inbox_of(grace)] == ["Three"]


def test_a_mail_that_is_repeated_after_a_crash_has_the_same_message_id(
    mailing: Container, grace: Person, inbox: Inbox
) -> None:
    choose(grace, channels={"overdue": {"email": True}})
    be_overdue(mailing, grace)
    with storage_of(mailing).write() as work:  # as a worker leaves it that dies before it records the answer
        work.session.execute(update(DeliveryRow).values(state=DeliveryState.SENDING))
        again = JobRow.kind == "notification-mail"
        work.session.execute(update(JobRow).where(again).values(state="running", due_at=utc_now(), lease=new_id()))
    assert mailing.inline.run_short_jobs()
    first, second = inbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert deliveries(mailing) == [("email", "sent", None)]


def test_a_job_of_the_former_release_is_delivered(mailing: Container, grace: Person, inbox: Inbox) -> None:
    carry(mailing)
    user_id = str(mailing.platform.tokens.verify(grace.access_token).user_id)
    figures = {"user_id": user_id, "week": "2030-W01", "created": "1", "completed": "1", "pdf": ""}
    choose(grace, weekly_report=True)
    with storage_of(mailing).write() as work:
        work.mails.add("report-mail", figures)
    carry(mailing)
    assert [mail["Subject"] for mail in inbox.mails] == ["Your week 2030-W01"]
    assert inbox_of(grace) == []
