"""Mail by a real SMTP server: delivered once, queued while the server is unavailable, dead-lettered when rejected."""

import base64
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cli.ensure_certificate import self_signed
from app.core.clock import new_id
from app.core.database.engine import Database
from app.core.errors import UnavailableError
from app.core.jobs.mail_jobs import SendMail
from app.core.jobs.runner import Runner
from app.core.jobs.tables import JobRow
from app.core.mail import Mail, Mailer, NoMailer, RefusedError, SmtpMailer
from app.core.settings import Settings
from tests.support.fakes import FakeClock
from tests.support.ports import free_port
from tests.support.settings import make_settings
from tests.support.smtp import Inbox, mail_server
from tests.support.storage import SystemStorage, SystemUnitOfWork

TO = "grace@example.org"
MAIL = Mail(TO, "Grüße, Grace", "Find the moth.\nÜbermorgen.")


def by(port: int, **more: Any) -> Settings:
    return make_settings(
        "sqlite:///:memory:",
        **{
            "smtp_host": "127.0.0.1",
            "smtp_port": port,
            "smtp_tls": "none",
            "mail_from": "Task Manager <noreply@example.org>",
            "public_url": "https://tasks.example.org",
            **more,
        },
    )


def test_a_mail_arrives_as_it_was_written(inbox: Inbox) -> None:
    mail_id = uuid4()
    SmtpMailer(by(inbox.port)).send(MAIL, mail_id)
    [mail] = inbox.mails
    assert (mail["To"], mail["Subject"]) == (TO, MAIL.subject)
    assert mail["From"] == "Task Manager <noreply@example.org>"
    assert mail["Message-ID"] == f"<{mail_id}@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().splitlines() == MAIL.text.splitlines()


def test_a_sender_s_name_arrives_whatever_it_holds(inbox: Inbox) -> None:
    SmtpMailer(by(inbox.port, mail_from="Prime, Trade Söhne <noreply@example.org>")).send(MAIL, uuid4())
    [mail] = inbox.mails
    [sender] = mail["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Prime, Trade Söhne", "noreply@example.org")


def test_a_subject_of_several_lines_becomes_one(inbox: Inbox) -> None:
    SmtpMailer(by(inbox.port)).send(Mail(TO, "One\r\nBcc: everybody@example.org\u2028two", "x"), uuid4())
    [mail] = inbox.mails
    assert mail["Subject"] == "One Bcc: everybody@example.org two"
    assert mail["Bcc"] is None


@settings(deadline=None, max_examples=200)
@given(subject=st.text(), user=st.text(min_size=1))
def test_user_input_can_not_inject_a_header_field(subject: str, user: str) -> None:
    """V1.3.11: a mail has our header fields and no others, or is not written at all."""
    mailer = SmtpMailer(by(1))
    try:
        raw = mailer._message(Mail(f"{user}@example.org", subject, "x"), UUID(int=1))
    except (ValueError, UnicodeEncodeError):
        return
    lines = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    fields = [line.partition(b":")[0] for line in lines if not line.startswith(b" ")]
    assert fields == [
        b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted",
        b"Content-Type", b"Content-Transfer-Encoding", b"MIME-Version",
    ]  # fmt: skip


@pytest.mark.parametrize("code", [421, 450, 530, 535])
def test_a_temporary_smtp_error_is_no_rejection(inbox: Inbox, code: int) -> None:
    inbox.to_mail = f"{code} not now, {TO}"
    with pytest.raises(UnavailableError, match=str(code)) as raised:
        SmtpMailer(by(inbox.port)).send(MAIL, uuid4())
    assert TO not in str(raised.getrepr(style="long").reprcrash)


@pytest.mark.parametrize("reply", ["to_recipient", "to_mail"])
def test_a_rejection_names_no_recipient(inbox: Inbox, reply: str) -> None:
    setattr(inbox, reply, f"550 no such user: {TO}")
    with pytest.raises(RefusedError) as raised:
        SmtpMailer(by(inbox.port)).send(MAIL, uuid4())
    assert str(raised.value) == "The mail server refuses the mail (550)."
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_an_accepted_mail_is_sent_even_if_quit_fails() -> None:
    class Rude(Inbox):
        async def handle_QUIT(self, server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802
            server.transport.abort()
            return "221 Bye"

    with mail_server(kind=Rude) as inbox:
        SmtpMailer(by(inbox.port)).send(MAIL, uuid4())
        assert len(inbox.mails) == 1


@pytest.fixture
def contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's TLS, whose certificate this process trusts."""
    for name, encoded in self_signed(["127.0.0.1"], datetime.now(UTC)).items():
        (tmp_path / name).write_bytes(base64.b64decode(encoded))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls.crt"))
    return context


def login(inbox_logins: list[tuple[bytes, bytes]]) -> Any:
    from aiosmtpd.smtp import AuthResult

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        inbox_logins.append((given.login, given.password))
        return AuthResult(success=given.password == b"right", handled=False)

    return authenticate


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
def test_the_password_is_sent_under_tls(contexts: ssl.SSLContext, mode: str) -> None:
    """V12.2.1: to a server whose certificate is good, and after the connection is encrypted."""
    told: list[tuple[bytes, bytes]] = []
    tls = {"tls": contexts, "require_starttls": True} if mode == "starttls" else {"ssl_context": contexts}
    options = {"authenticator": login(told), "auth_required": True, "auth_require_tls": mode == "starttls"}
    with mail_server(**tls, **options) as inbox:
        user = {"smtp_user": "tasks", "smtp_password": "right", "smtp_tls": mode}
        SmtpMailer(by(inbox.port, **user)).send(MAIL, uuid4())
        assert len(inbox.mails) == 1
        assert told == [(b"tasks", b"right")]
        with pytest.raises(UnavailableError, match="535"):
            SmtpMailer(by(inbox.port, **{**user, "smtp_password": "wrong"})).send(MAIL, uuid4())


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
def test_nothing_is_sent_without_tls_or_to_an_untrusted_certificate(
    contexts: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    for tls in (None, contexts):
        told: list[tuple[bytes, bytes]] = []
        with mail_server(tls=tls, authenticator=login(told), auth_require_tls=False) as inbox:
            secret = {"smtp_user": "tasks", "smtp_password": "right", "smtp_tls": mode}
            with pytest.raises(UnavailableError):
                SmtpMailer(by(inbox.port, **secret)).send(MAIL, uuid4())
            assert (inbox.mails, told) == ([], [])


def test_without_a_server_nothing_is_sent_and_one_line_is_logged() -> None:
    mailer = NoMailer()
    with structlog.testing.capture_logs() as logged:
        for _ in range(3):
            mailer.send(MAIL, uuid4())
    assert [line["event"] for line in logged] == ["mails are not sent: APP_SMTP_HOST is not set"]
    assert "grace" not in str(logged).lower()


@dataclass
class Letter:
    """Writes the same mail, or none."""

    mail: Mail | None = MAIL
    written: list[Mapping[str, str]] = field(default_factory=list)

    def write(self, parameters: Mapping[str, str]) -> Mail | None:
        self.written.append(parameters)
        return self.mail


@pytest.fixture
def storage(database: Database) -> SystemStorage:
    return SystemStorage(database)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def queue(storage: SystemStorage) -> UUID:
    with storage.write() as work:
        work.mails.add("letter", {"about": "moths"})
    with storage.read() as work:
        [job] = work.session.query(JobRow).all()
    return job.id


def runner(
    storage: SystemStorage, clock: FakeClock, mailer: Mailer, letter: Letter | None = None
) -> Runner[SystemUnitOfWork]:
    side_effects = {"letter": SendMail(mailer, letter or Letter())}
    return Runner(storage, {}, side_effects, clock, new_id, lease=60, attempts=1, backoff=2)


def outcome(storage: SystemStorage, job_id: UUID) -> tuple[str, str | None]:
    with storage.read() as work:
        job = work.session.get_one(JobRow, job_id)
    return job.state, job.error


def test_a_mail_waits_while_the_server_is_unavailable_and_is_then_sent_once(
    storage: SystemStorage, clock: FakeClock
) -> None:
    clock.now = datetime.now(UTC)
    job_id, port = queue(storage), free_port()
    clock.advance(seconds=1)
    running = runner(storage, clock, SmtpMailer(by(port)))
    for _ in range(12):
        running.run(job_id)
        assert outcome(storage, job_id) == ("queued", "The mail server can't be reached.")
        running.run(job_id)  # not due yet: the number of attempts stays
        clock.advance(minutes=12)
    with storage.read() as work:
        assert work.session.get_one(JobRow, job_id).attempts == 12
    with mail_server(port) as inbox:
        for _ in range(3):
            running.run(job_id)
            clock.advance(minutes=12)
        assert len(inbox.mails) == 1
    assert outcome(storage, job_id) == ("succeeded", None)


def test_a_rejected_mail_is_dead_lettered(storage: SystemStorage, clock: FakeClock, inbox: Inbox) -> None:
    clock.now = datetime.now(UTC)
    job_id = queue(storage)
    clock.advance(seconds=1)
    inbox.to_recipient = f"550 no such user: {TO}"
    runner(storage, clock, SmtpMailer(by(inbox.port))).run(job_id)
    assert outcome(storage, job_id) == ("failed", "The mail server refuses the mail (550).")
    with storage.read() as work:
        assert work.jobs.counts()["failed"] == 1


def test_a_mail_that_is_no_longer_needed_is_not_sent(storage: SystemStorage, clock: FakeClock, inbox: Inbox) -> None:
    clock.now = datetime.now(UTC)
    job_id, letter = queue(storage), Letter(None)
    clock.advance(seconds=1)
    runner(storage, clock, SmtpMailer(by(inbox.port)), letter).run(job_id)
    assert outcome(storage, job_id)[0] == "succeeded"
    assert (letter.written, inbox.mails) == ([{"about": "moths"}], [])


def test_other_writes_do_not_wait_for_the_mail_server(storage: SystemStorage, clock: FakeClock) -> None:
    """While a mail is being sent, other transactions can write: on SQLite too, which has one writer at a time."""
    clock.now = datetime.now(UTC)
    job_id = queue(storage)
    clock.advance(seconds=1)
    sending, over = threading.Event(), threading.Event()

    class Slow:
        def send(self, _mail: Mail, _mail_id: UUID) -> None:
            sending.set()
            assert over.wait(30)

    thread = threading.Thread(target=runner(storage, clock, Slow()).run, args=(job_id,))
    thread.start()
    try:
        assert sending.wait(30)
        with storage.write() as work:
            work.mails.add("letter", {})
    finally:
        over.set()
        thread.join()
    assert outcome(storage, job_id)[0] == "succeeded"
