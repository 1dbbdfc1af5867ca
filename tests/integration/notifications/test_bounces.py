"""Bounces and complaints: no mail goes to such an address, until its user changes it or asks for it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from app.bootstrap.container import Container
from app.bootstrap.http import create_app
from app.core.clock import utc_now
from app.notifications.model import Recipient
from app.notifications.tables import RecipientRow
from tests.support.api import Person, assert_problem
from tests.support.notifications import remind_of
from tests.support.smtp import Inbox
from tests.support.sns_topic import ARN, CERTIFICATE_URL, SUBSCRIBE_URL, Topic
from tests.support.storage import storage_of

SES, POSTMARK = "/api/v1/notifications/bounces/ses", "/api/v1/notifications/bounces/postmark"
PASSWORD = "a-password-of-the-webhook"


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    made = Topic()
    monkeypatch.setattr("app.core.security.sns_messages.fetch_url", made.fetch)
    return made


@pytest.fixture
def further_settings() -> dict[str, Any]:
    return {"ses_topic": ARN, "bounce_password": PASSWORD}


@pytest.fixture
def provider(mailing: Container, topic: Topic) -> FlaskClient:
    del topic  # before the application reads the settings
    return create_app(mailing).test_client()


def bounce(email: str, kind: str = "Permanent") -> dict[str, Any]:
    return {
        "notificationType": "Bounce",
        "bounce": {"bounceType": kind, "bouncedRecipients": [{"emailAddress": email}]},
    }


def complaint(email: str) -> dict[str, Any]:
    return {"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": email}]}}


def send(client: FlaskClient, message: dict[str, str]) -> TestResponse:
    return client.post(SES, data=json.dumps(message), content_type="text/plain; charset=UTF-8")


def postmark(client: FlaskClient, notice: dict[str, str], password: str = PASSWORD) -> int:
    return client.post(POSTMARK, json=notice, auth=("postmark", password)).status_code


def suspended(person: Person) -> str | None:
    reason: str | None = person.call("GET", "/notifications/preferences").get_json()["email_suspended"]
    return reason


@pytest.mark.parametrize(("notice", "reason"), [(bounce, "mail bounced"), (complaint, "reported as spam")])
def test_an_address_that_ses_reports_gets_no_more_mails(
    mailing: Container, grace: Person, inbox: Inbox, provider: FlaskClient, topic: Topic, notice: Any, reason: str
) -> None:
    assert suspended(grace) is None
    assert send(provider, topic.notification(notice(grace.email.upper()))).status_code == 204
    assert suspended(grace) == reason
    remind_of(mailing, grace)
    assert inbox.mails == []
    assert grace.call("POST", "/notifications/email/resume").status_code == 204
    assert suspended(grace) is None
    remind_of(mailing, grace)
    assert len(inbox.mails) == 1


def test_another_address_is_good_again(mailing: Container, grace: Person, provider: FlaskClient, topic: Topic) -> None:
    send(provider, topic.notification(bounce(grace.email)))
    with storage_of(mailing).write() as work:
        user_id = mailing.platform.tokens.verify(grace.access_token).user_id
        work.recipients.put(Recipient(user_id, "new@example.org", "Grace", verified=True), utc_now())
    assert suspended(grace) is None


def test_what_is_not_final_or_about_nobody_changes_nothing(grace: Person, provider: FlaskClient, topic: Topic) -> None:
    notices: list[dict[str, Any]] = [
        bounce(grace.email, "Transient"),
        bounce("nobody@example.org"),
        {"notificationType": "Delivery", "delivery": {"recipients": [grace.email]}},
        {"notificationType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": "x"}},
        {"notificationType": "Bounce", "bounce": None},
    ]
    for notice in notices:
        assert send(provider, topic.notification(notice)).status_code == 204
    assert suspended(grace) is None


def test_a_subscription_is_confirmed(provider: FlaskClient, topic: Topic) -> None:
    assert send(provider, topic.confirmation()).status_code == 204
    assert topic.fetched == [CERTIFICATE_URL, SUBSCRIBE_URL]


@pytest.mark.parametrize(
    "change",
    [
        {"TopicArn": ARN.replace("bounces", "others")},
        {"SignatureVersion": "1"},
        {"SigningCertURL": CERTIFICATE_URL.replace("amazonaws.com", "amazonaws.com.evil.example")},
        {"SigningCertURL": CERTIFICATE_URL.replace("https", "http")},
        {"SigningCertURL": CERTIFICATE_URL.replace("eu-central-1", "us-east-1")},
        {"SigningCertURL": "https://s3.amazonaws.com/evil/SimpleNotificationService-0.pem"},
        {"Type": "UnsubscribeConfirmation"},
    ],
    ids=lambda change: "-".join(change),
)
def test_messages_of_others_are_refused_before_anything_is_fetched(
    grace: Person, provider: FlaskClient, topic: Topic, change: dict[str, str]
) -> None:
    assert_problem(send(provider, topic.notification(bounce(grace.email), **change)), 403)
    assert topic.fetched == []
    assert suspended(grace) is None


def test_a_changed_message_is_refused(grace: Person, provider: FlaskClient, topic: Topic) -> None:
    message = topic.notification(bounce("nobody@example.org"))
    changes = [
        {"Message": json.dumps(bounce(grace.email))},
        {"Signature": topic.notification({})["Signature"]},
        {"Signature": "not base64"},
    ]
    for change in changes:
        assert_problem(send(provider, {**message, **change}), 403)
    stranger = Topic()
    assert_problem(send(provider, stranger.notification(bounce(grace.email))), 403)
    assert suspended(grace) is None


def test_a_confirmation_leads_to_amazon_alone(provider: FlaskClient, topic: Topic) -> None:
    for url in ("https://evil.example/?Action=ConfirmSubscription", SUBSCRIBE_URL.replace("https", "http")):
        assert_problem(send(provider, topic.confirmation(SubscribeURL=url)), 403)
    assert topic.fetched == [CERTIFICATE_URL]


def test_an_expired_certificate_is_refused(grace: Person, provider: FlaskClient, topic: Topic) -> None:
    topic.valid_until = datetime.now(UTC) - timedelta(seconds=1)
    assert_problem(send(provider, topic.notification(bounce(grace.email))), 403)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_refused(provider: FlaskClient, body: bytes) -> None:
    assert_problem(provider.post(SES, data=body, content_type="text/plain"), 400)


def test_postmark_reports_by_a_password(grace: Person, provider: FlaskClient) -> None:
    notice = {"RecordType": "Bounce", "Type": "HardBounce", "Email": grace.email}
    assert postmark(provider, notice, "wrong") == 401
    assert provider.post(POSTMARK, json=notice).status_code == 401
    assert postmark(provider, {**notice, "Type": "SoftBounce"}) == 204
    assert suspended(grace) is None
    assert postmark(provider, notice) == 204
    assert suspended(grace) == "mail bounced"
    assert postmark(provider, {"RecordType": "SpamComplaint", "Email": grace.email}) == 204
    assert suspended(grace) == "reported as spam"


def test_without_their_settings_there_are_no_notices(container: Container) -> None:
    client = create_app(container).test_client()
    for path in (SES, POSTMARK):
        assert_problem(client.post(path, json={}), 404)


@pytest.mark.parametrize(
    ("reply", "is_suspended"),
    [
        ("550 5.1.1 No such user", True),
        ("550 No such user", True),
        ("550 5.2.1 Mailbox disabled", True),
        ("550 5.7.1 Relaying denied", False),
        ("554 5.7.0 Blocked", False),
        ("552 5.2.2 Mailbox full", False),
        ("451 4.1.1 Later", False),
    ],
)
def test_a_mailbox_that_its_server_refuses_gets_no_more_mails(
    mailing: Container, grace: Person, inbox: Inbox, reply: str, is_suspended: bool
) -> None:
    inbox.to_recipient = reply
    remind_of(mailing, grace)
    assert suspended(grace) == ("refused by the mailbox's server" if is_suspended else None)


def test_a_rollback_of_the_release_keeps_what_is_suspended(
    mailing: Container, grace: Person, provider: FlaskClient, topic: Topic
) -> None:
    """The former release changes an address without the columns that it does not know."""
    send(provider, topic.notification(bounce(grace.email)))
    with storage_of(mailing).write() as work:
        work.session.execute(update(RecipientRow).values(email="other@example.org"))
    assert suspended(grace) is None
    with storage_of(mailing).write() as work:
        work.session.execute(update(RecipientRow).values(email=grace.email))
    assert suspended(grace) == "mail bounced"
