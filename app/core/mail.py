"""Mail by SMTP, sent from jobs."""

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import formatdate
from typing import Protocol
from uuid import UUID

import structlog

from app.core.errors import UnavailableError
from app.core.mail_headers import EOL, address_field, text_field
from app.core.settings import Settings

TIMEOUT = 5
"""Seconds that one exchange with the server may take: all of them together end within a job's lease."""

MISCONFIGURED = frozenset({530, 534, 535, 538})
"""Replies about our log-in (RFC 4954): no fault of the mail, which is good once somebody has set it right."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Attachment:
    """A PDF that goes with a mail.

    Args:
        name: what the file is called.
        data: its bytes.
    """

    name: str
    data: bytes


@dataclass(frozen=True)
class Mail:
    """A mail to one person.

    Args:
        to: the address.
        subject: one line; what would break it becomes a space.
        text: the plain text.
        attachments: what goes with it.
    """

    to: str
    subject: str
    text: str
    attachments: Sequence[Attachment] = ()


class RefusedError(Exception):
    """The mail will never be taken; the message says by which reply, and names nobody."""


class Outgoing(Protocol):
    def add(self, kind: str, parameters: Mapping[str, str]) -> None:
        """Have a mail written and sent once the transaction commits.

        Args:
            kind: which mail.
            parameters: what its writer needs to know; no secrets, since they are stored.
        """


class EmailTemplate(Protocol):
    def write(self, parameters: Mapping[str, str]) -> Mail | None:
        """Write the mail of some parameters; None if there is no reason for it any more."""


class Mailer(Protocol):
    def send(self, mail: Mail, mail_id: UUID) -> None:
        """Hand a mail over to be delivered.

        Args:
            mail: what to send.
            mail_id: the same at each try, so that a receiver can tell a repetition.

        Raises:
            UnavailableError: not now; trying again may help.
            RefusedError: never.
        """


class NoMailer:
    """Sends nothing, and says so once."""

    def __init__(self) -> None:
        self._said = False

    def send(self, mail: Mail, mail_id: UUID) -> None:
        del mail, mail_id
        if not self._said:
            self._said = True
            log.warning("mails are not sent: APP_SMTP_HOST is not set")


class SmtpMailer:
    """Sends by SMTP, a connection a mail.

    Args:
        settings: with a host, and who the mails are from.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sender_name, _, self._sender = (settings.mail_from or "").rstrip(">").rpartition("<")

    def send(self, mail: Mail, mail_id: UUID) -> None:
        message = self._message(mail, mail_id)
        # What the server replies may repeat the address, which no log shall hold: hence `from None`.
        try:
            self._deliver(mail.to, message)
        except smtplib.SMTPRecipientsRefused as error:
            [(code, _)] = error.recipients.values()
            raise _trouble(code) from None
        except smtplib.SMTPResponseException as error:
            raise _trouble(error.smtp_code) from None
        except (smtplib.SMTPException, OSError) as error:
            raise UnavailableError("The mail server can't be reached.") from error

    def _deliver(self, recipient: str, message: bytes) -> None:
        server = self._connect()
        try:
            server.sendmail(self._sender, [recipient], message)
            # The mail is the server's now, whatever becomes of the goodbye.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            server.close()

    def _message(self, mail: Mail, mail_id: UUID) -> bytes:
        """Return the message: 7-bit, so that every server takes it. Raises ValueError for what is no address."""
        fields = [
            address_field("From", self._sender, self._sender_name),
            address_field("To", mail.to),
            text_field("Subject", mail.subject),
            f"Date: {formatdate()}{EOL}",
            f"Message-ID: <{mail_id}@{self._sender.rpartition('@')[2]}>{EOL}",
            f"Auto-Submitted: auto-generated{EOL}",  # RFC 3834: no machine shall answer
        ]
        content = EmailMessage(policy.SMTP.clone(cte_type="7bit"))
        content.set_content(mail.text)
        for each in mail.attachments:
            content.add_attachment(each.data, maintype="application", subtype="pdf", filename=each.name)
        return "".join(fields).encode("ascii") + content.as_bytes()

    def _connect(self) -> smtplib.SMTP:
        settings, context = self._settings, ssl.create_default_context()
        host, port = settings.smtp_host or "", settings.smtp_port
        if settings.smtp_tls == "implicit":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT)
        try:
            if settings.smtp_tls == "starttls":
                server.starttls(context=context)
            if settings.smtp_user and settings.smtp_password:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server


def mailer(settings: Settings) -> Mailer:
    """Return what sends mails by these settings."""
    return SmtpMailer(settings) if settings.smtp_host else NoMailer()


def _trouble(code: int) -> Exception:
    """Return the error for a reply: 5xx is for ever, 4xx for now (RFC 5321, section 4.2.1)."""
    if code >= 500 and code not in MISCONFIGURED:
        return RefusedError(f"The mail server refuses the mail ({code}).")
    return UnavailableError(f"The mail server does not take the mail now ({code}).")
