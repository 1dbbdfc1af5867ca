"""Telephone numbers, verified by a code, and notifications by SMS."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.core.clock import utc_now
from app.core.jobs.tables import JobRow
from app.notifications.tables import DeliveryRow, PhoneRow
from tests.support.api import Person, assert_problem
from tests.support.notifications import carry
from tests.support.settings import make_settings
from tests.support.sms import ACCOUNT, SECRET, SENDER, Twilio, provider
from tests.support.storage import storage_of

PHONE = "/notifications/phone"
NUMBER = "+4915123456789"
OTHER = "+4915123456780"


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with provider(Twilio) as started:
        yield started


def sms_settings(url: str) -> dict[str, Any]:
    return {"sms": "twilio", "sms_account": ACCOUNT, "sms_secret": SECRET, "sms_sender": SENDER, "sms_url": url}


@pytest.fixture
def texting(database_url: str, twilio: Twilio) -> Iterator[Container]:
    """Container of an application that sends SMS to Germany, two a day."""
    parts = build(
        make_settings(
            database_url,
            **sms_settings(twilio.url),
            sms_countries="DE",
            daily_sms=2,
            public_url="https://x.example.org",
            rate_limit_sms_codes="5 per hour",
        )
    )
    yield parts
    parts.database.dispose()


@pytest.fixture
def client(texting: Container) -> FlaskClient:
    return create_app(texting).test_client()


@pytest.fixture
def grace(client: FlaskClient) -> Person:
    return Person(client).register()


def code_of(twilio: Twilio) -> str:
    """Return the code of the latest message."""
    found = re.match(r"(\d{6}) is your code", twilio.messages[-1][1])
    assert found is not None
    return found[1]


def ask_for_code(container: Container, person: Person, number: str = NUMBER) -> None:
    assert person.call("PUT", PHONE, json={"number": number}).status_code == 202
    carry(container)


def verify(person: Person, code: str) -> int:
    return person.call("POST", f"{PHONE}/verify", json={"code": code}).status_code


def with_number(container: Container, person: Person, twilio: Twilio, number: str = NUMBER) -> Person:
    """Verify the person's number, and let them want an SMS for each overdue task, and nothing in the app."""
    ask_for_code(container, person, number)
    assert verify(person, code_of(twilio)) == 200
    twilio.messages.clear()
    channels = {"overdue": {"sms": True, "in_app": False}}
    assert person.call("PATCH", "/notifications/preferences", json={"channels": channels}).status_code == 200
    return person


def be_overdue(container: Container, person: Person, title: str = "Milk") -> None:
    person.create(title=title, due_at=datetime.now(UTC).isoformat())
    carry(container)


def listed(person: Person) -> list[str]:
    return [each["title"] for each in person.call("GET", "/notifications/inbox").get_json()["items"]]


def deliveries(container: Container) -> list[tuple[str, str | None]]:
    with storage_of(container).read() as work:
        rows = work.session.scalars(select(DeliveryRow).order_by(DeliveryRow.notification_id))
        return [(row.state, row.reason) for row in rows]


def run_again(container: Container, kind: str) -> None:
    """Let the jobs of a kind run once more, as after the death of their worker."""
    with storage_of(container).write() as work:
        dead = update(JobRow).where(JobRow.kind == kind).values(state="running", due_at=utc_now(), attempts=1)
        work.session.execute(dead)
    carry(container)


def test_a_number_is_verified_by_the_code_that_is_sent_there(texting: Container, grace: Person, twilio: Twilio) -> None:
    assert grace.call("GET", PHONE).get_json() == {
        "number": None, "verified": False, "suspended": None, "enabled": True
    }  # fmt: skip
    ask_for_code(texting, grace, "+49 1512 345-6789")
    [(number, _)] = twilio.messages
    assert number == NUMBER
    assert grace.call("GET", PHONE).get_json()["verified"] is False
    assert verify(grace, code_of(twilio)) == 200
    assert grace.call("GET", PHONE).get_json() == {
        "number": NUMBER, "verified": True, "suspended": None, "enabled": True
    }  # fmt: skip
    ask_for_code(texting, grace)
    assert len(twilio.messages) == 1, "it is verified already"


def test_the_code_is_stored_nowhere(texting: Container, grace: Person, twilio: Twilio) -> None:
    ask_for_code(texting, grace)
    with storage_of(texting).read() as work:
        stored = [str(vars(row)) for table in (JobRow, PhoneRow) for row in work.session.scalars(select(table))]
    assert not any(code_of(twilio) in row for row in stored)


def test_after_five_wrong_codes_the_right_one_is_no_longer_good(
    texting: Container, grace: Person, twilio: Twilio
) -> None:
    ask_for_code(texting, grace)
    right = code_of(twilio)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    for _ in range(4):
        assert verify(grace, wrong) == 422
    assert verify(grace, wrong) == 422
    assert verify(grace, right) == 422
    ask_for_code(texting, grace)
    assert code_of(twilio) != right
    assert verify(grace, code_of(twilio)) == 200


def test_a_code_is_good_for_ten_minutes(texting: Container, grace: Person, twilio: Twilio) -> None:
    ask_for_code(texting, grace)
    with storage_of(texting).write() as work:
        work.session.execute(update(PhoneRow).values(code_expires_at=utc_now()))
    assert verify(grace, code_of(twilio)) == 422


def test_a_code_is_good_for_its_number_and_user(
    texting: Container, grace: Person, twilio: Twilio, client: FlaskClient
) -> None:
    ask_for_code(texting, grace)
    former = code_of(twilio)
    ada = Person(client).register()
    ask_for_code(texting, ada, NUMBER)
    assert verify(ada, former) == 422
    ask_for_code(texting, grace, OTHER)
    assert verify(grace, former) == 422


def test_codes_are_limited_by_user_and_by_number(
    texting: Container, grace: Person, twilio: Twilio, client: FlaskClient
) -> None:
    for _ in range(5):
        ask_for_code(texting, grace)
    assert_problem(grace.call("PUT", PHONE, json={"number": OTHER}), 429)
    ada = Person(client).register()
    assert_problem(ada.call("PUT", PHONE, json={"number": "+49 1512 3456789"}), 429)
    assert len(twilio.messages) == 5


@pytest.mark.parametrize(
    "number",
    ["", "01512 3456789", "+49 30 901820", "+1 555 0100", "+44 7400 123456", "tel:+4915123456789;ext=3", "+49" * 13],
    ids=["none", "no country", "fixed line", "nowhere", "another country", "extension", "long"],
)
def test_other_numbers_are_refused(grace: Person, number: str) -> None:
    assert_problem(grace.call("PUT", PHONE, json={"number": number}), 422)


def test_without_a_provider_no_number_is_taken(person: Person) -> None:
    assert person.call("GET", PHONE).get_json()["enabled"] is False
    assert_problem(person.call("PUT", PHONE, json={"number": NUMBER}), 422)


def test_a_notification_goes_to_the_verified_number(texting: Container, grace: Person, twilio: Twilio) -> None:
    with_number(texting, grace, twilio)
    be_overdue(texting, grace, "x" * 150)
    [(number, text)] = twilio.messages
    assert (number, text) == (NUMBER, f"Overdue: {'x' * 99}… https://x.example.org")
    assert listed(grace) == []
    assert twilio.wrong == []


def test_without_a_verified_number_it_is_left_to_the_app(texting: Container, grace: Person, twilio: Twilio) -> None:
    with_number(texting, grace, twilio)
    ask_for_code(texting, grace, OTHER)
    twilio.messages.clear()
    be_overdue(texting, grace)
    assert (twilio.messages, listed(grace)) == ([], ["Milk"])
    assert grace.call("DELETE", PHONE).status_code == 204
    be_overdue(texting, grace)
    assert deliveries(texting) == [("dropped", "no verified number")] * 2


def test_a_number_that_has_opted_out_is_switched_off_and_shown(
    texting: Container, grace: Person, twilio: Twilio
) -> None:
    with_number(texting, grace, twilio)
    twilio.answers = [twilio.error(400, 21610)]
    be_overdue(texting, grace, "One")
    be_overdue(texting, grace, "Two")
    assert grace.call("GET", PHONE).get_json()["suspended"] == "recipient has opted out (Twilio 21610)"
    assert deliveries(texting) == [
        ("failed", "recipient has opted out (Twilio 21610)"),
        ("dropped", "recipient has opted out (Twilio 21610)"),
    ]
    assert (twilio.messages, listed(grace)) == ([], ["Two", "One"])
    with_number(texting, grace, twilio)
    be_overdue(texting, grace, "Three")
    assert len(twilio.messages) == 1, "verified anew, it is switched on"


def test_a_lost_answer_is_not_asked_for_again(texting: Container, grace: Person, twilio: Twilio) -> None:
    with_number(texting, grace, twilio)
    twilio.answers = [None]
    be_overdue(texting, grace)
    run_again(texting, "notification-sms")
    assert len(twilio.messages) == 1
    assert deliveries(texting) == [("unknown", "no answer of the provider")]
    assert listed(grace) == ["Milk"]


def test_an_sms_is_tried_again_when_the_provider_has_certainly_not_taken_it(
    texting: Container, grace: Person, twilio: Twilio
) -> None:
    with_number(texting, grace, twilio)
    twilio.answers = [twilio.error(429, 20429)]
    be_overdue(texting, grace)
    assert deliveries(texting) == [("waiting", None)]
    run_again(texting, "notification-sms")
    assert len(twilio.messages) == 1
    assert deliveries(texting) == [("sent", None)]


def test_deliveries_of_the_last_hour_are_counted_by_channel_and_outcome(
    texting: Container, grace: Person, twilio: Twilio
) -> None:
    with_number(texting, grace, twilio)
    twilio.answers = [(), None]
    for _ in range(2):
        be_overdue(texting, grace)
    with storage_of(texting).write() as work:
        old = update(DeliveryRow).where(DeliveryRow.state == "sent").values(decided_at=utc_now() - timedelta(hours=1))
        work.session.execute(old)
    [collector] = texting.notifications.collectors
    [family] = collector.collect()
    counted = {tuple(sample.labels.values()): sample.value for sample in family.samples}
    assert counted["sms", "unknown"] == 1
    assert sum(counted.values()) == 1


def test_a_code_is_sent_once(texting: Container, grace: Person, twilio: Twilio) -> None:
    ask_for_code(texting, grace)
    run_again(texting, "phone-code")
    assert len(twilio.messages) == 1


def test_a_number_that_can_not_be_reached_by_its_code_is_shown(
    texting: Container, grace: Person, twilio: Twilio
) -> None:
    twilio.answers = [twilio.error(400, 21614)]
    ask_for_code(texting, grace)
    shown = grace.call("GET", PHONE).get_json()
    assert (shown["verified"], shown["suspended"]) == (False, "not a mobile number (Twilio 21614)")


def test_above_the_limit_of_a_day_it_is_left_to_the_app(texting: Container, grace: Person, twilio: Twilio) -> None:
    with_number(texting, grace, twilio)
    for title in ("One", "Two", "Three"):
        be_overdue(texting, grace, title)
    assert [text.partition(" https")[0] for _, text in twilio.messages] == [
        "Overdue: One", "Overdue: Two (The last SMS for today.)"
    ]  # fmt: skip
    assert listed(grace) == ["Three"]


KILLED_WORKER = """
import os, signal, sys
from uuid import UUID
from app.bootstrap.container import build
from app.core.sms.twilio import TwilioSms
from app.core.settings import load_settings

send = TwilioSms.send

def send_and_die(self, number, text):
    send(self, number, text)
    os.kill(os.getpid(), signal.SIGKILL)

TwilioSms.send = send_and_die
build(load_settings()).background.runner.run(UUID(sys.argv[1]))
"""


def test_a_worker_killed_after_the_providers_answer_leaves_one_message(
    texting: Container, grace: Person, twilio: Twilio, database_url: str
) -> None:
    with_number(texting, grace, twilio)
    twilio.answers = [twilio.error(429, 20429)]
    be_overdue(texting, grace)
    with storage_of(texting).write() as work:
        job = work.session.scalars(select(JobRow).where(JobRow.kind == "notification-sms")).one()
        job_id: UUID = job.id
        work.session.execute(update(JobRow).where(JobRow.id == job_id).values(due_at=utc_now() - timedelta(seconds=1)))
    settings = {f"APP_{name.upper()}": value for name, value in sms_settings(twilio.url).items()}
    environment = {
        **os.environ,
        **settings,
        "APP_DATABASE_URL": database_url,
        "APP_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
        "APP_PUBLIC_URL": "https://x.example.org",
    }
    root = Path(__file__).parents[3]
    worker = subprocess.run(
        [sys.executable, "-c", KILLED_WORKER, str(job_id)], cwd=root, env=environment, check=False, timeout=60
    )
    assert worker.returncode == -signal.SIGKILL
    assert (len(twilio.messages), deliveries(texting)) == (1, [("sending", None)])
    run_again(texting, "notification-sms")
    assert len(twilio.messages) == 1
    assert deliveries(texting) == [("unknown", "its worker died")]
    assert listed(grace) == ["Milk"]
