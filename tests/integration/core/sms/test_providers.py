"""Adapters of Twilio and Amazon SNS against local servers of their protocols."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.clock import utc_now
from app.core.errors import UnavailableError
from app.core.sms import http
from app.core.sms.port import SmsRefusedError, SmsSender, SmsUnknownError
from app.core.sms.sigv4 import Credentials, signed_headers
from app.core.sms.sns import SnsSms
from app.core.sms.twilio import TwilioSms
from tests.support.ports import free_port
from tests.support.sms import (
    ACCESS_KEY,
    ACCOUNT,
    REGION,
    SECRET,
    SECRET_KEY,
    SENDER,
    Provider,
    Sns,
    Twilio,
    provider,
)

NUMBER = "+4915123456789"
TEXT = "Überfällig: 1 & 2 = 3 + „vier“ 🎉 https://tasks.example.org"


def twilio_of(url: str, secret: str = SECRET) -> TwilioSms:
    return TwilioSms(ACCOUNT, secret, SENDER, url)


def sns_of(url: str, secret: str = SECRET_KEY) -> SnsSms:
    return SnsSms(REGION, Credentials(ACCESS_KEY, secret), "", utc_now, url)


SENDERS: dict[type[Provider], Any] = {Twilio: twilio_of, Sns: sns_of}


@pytest.fixture(params=SENDERS, ids=lambda kind: kind.__name__)
def server(request: pytest.FixtureRequest) -> Iterator[Provider]:
    with provider(request.param) as started:
        yield started


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with provider(Twilio) as started:
        yield started


@pytest.fixture
def sns() -> Iterator[Sns]:
    with provider(Sns) as started:
        yield started


def sender_of(server: Provider, **options: str) -> SmsSender:
    sender: SmsSender = SENDERS[type(server)](server.url, **options)
    return sender


def test_a_message_is_taken_as_it_was_written(server: Provider) -> None:
    assert sender_of(server).send(NUMBER, TEXT)
    assert server.wrong == []
    assert server.messages == [(NUMBER, TEXT)]


def test_wrong_credentials_are_a_matter_of_the_settings_and_retried(server: Provider) -> None:
    with pytest.raises(UnavailableError, match="refuses the account"):
        sender_of(server, secret="wrong").send(NUMBER, TEXT)
    assert server.messages == []


def test_without_a_connection_the_message_was_not_sent(server: Provider) -> None:
    with pytest.raises(UnavailableError, match="can't be reached"):
        SENDERS[type(server)](f"http://127.0.0.1:{free_port()}").send(NUMBER, TEXT)


def test_without_an_answer_the_message_may_have_been_sent_and_is_not_repeated(server: Provider) -> None:
    server.answers = [None]
    with pytest.raises(SmsUnknownError):
        sender_of(server).send(NUMBER, TEXT)
    assert len(server.messages) == 1


def test_a_server_that_answers_late_may_have_sent_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(http, "READ_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SmsUnknownError):
        twilio_of(f"http://127.0.0.1:{silent.getsockname()[1]}").send(NUMBER, TEXT)


@pytest.mark.parametrize("status", [500, 503, 302])
def test_an_answer_that_says_nothing_leaves_it_unknown(server: Provider, status: int) -> None:
    server.answers = [(status, "<html>")]
    with pytest.raises(SmsUnknownError):
        sender_of(server).send(NUMBER, TEXT)


def test_a_provider_that_is_busy_has_not_sent_it(twilio: Twilio, sns: Sns) -> None:
    twilio.answers = [twilio.error(429, 20429)]
    sns.answers = [sns.error(400, "Throttling"), sns.error(400, "ThrottlingException")]
    for server in (twilio, sns, sns):
        with pytest.raises(UnavailableError, match="no more messages"):
            sender_of(server).send(NUMBER, TEXT)


@pytest.mark.parametrize(
    ("code", "number"), [(21211, True), (21610, True), (21614, True), (21408, True), (21617, False), (30001, False)]
)
def test_twilio_says_whether_the_number_is_the_reason(twilio: Twilio, code: int, number: bool) -> None:
    twilio.answers = [twilio.error(400, code)]
    with pytest.raises(SmsRefusedError, match=str(code)) as refused:
        sender_of(twilio).send(NUMBER, TEXT)
    assert refused.value.number == number
    assert NUMBER not in str(refused.value)


@pytest.mark.parametrize(
    ("code", "message", "number"),
    [
        ("OptedOut", "…", True),
        ("InvalidParameter", "Invalid parameter: PhoneNumber Reason: +1 is not valid to publish to", True),
        ("InvalidParameter", "Invalid parameter: Message too long", False),
        ("NotFound", "Topic does not exist", False),
    ],
)
def test_sns_says_whether_the_number_is_the_reason(sns: Sns, code: str, message: str, number: bool) -> None:
    sns.answers = [sns.error(400, code, message)]
    with pytest.raises(SmsRefusedError, match=code) as refused:
        sender_of(sns).send(NUMBER, TEXT)
    assert refused.value.number == number


def test_a_signature_of_another_time_is_refused(sns: Sns) -> None:
    late = SnsSms(REGION, Credentials(ACCESS_KEY, SECRET_KEY), "", lambda: utc_now() - timedelta(hours=1), sns.url)
    with pytest.raises(UnavailableError, match="SignatureDoesNotMatch"):
        late.send(NUMBER, TEXT)
    assert sns.wrong == ["time"]


def test_a_sender_id_is_sent_along(sns: Sns) -> None:
    SnsSms(REGION, Credentials(ACCESS_KEY, SECRET_KEY), "TASKS", utc_now, sns.url).send(NUMBER, TEXT)
    assert (sns.wrong, sns.messages) == ([], [(NUMBER, TEXT)])


def test_headers_are_signed_as_awss_example_of_a_post() -> None:
    """`post-x-www-form-urlencoded` of the test suite that AWS has published for Signature Version 4."""
    headers = signed_headers(
        Credentials(ACCESS_KEY, SECRET_KEY),
        "us-east-1",
        "service",
        {"Host": "example.amazonaws.com", "Content-Type": "application/x-www-form-urlencoded"},
        b"Param1=value1",
        datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )
    assert headers["Authorization"].endswith("ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a")
