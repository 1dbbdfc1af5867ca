"""Mail over SMTP, sent by jobs."""

import re
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
"""Socket time-out, seconds: all exchanges of one mail together end within a job's lease."""

MISCONFIGURED = frozenset({530, 534, 535, 538})
"""Reply codes of failed authentication (RFC 4954): not permanent, since the mail can be sent once that is fixed."""

ENHANCED_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")

MAILBOX_CODES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""Enhanced status codes of a mailbox that does not exist or is disabled (RFC 3463, RFC 7505)."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Attachment:
    """A PDF attached to a mail.

    Args:
        name: its file name.
        data: its content.
    """

    name: str
    data: bytes


@dataclass(frozen=True)
class Mail:
    """A mail to one recipient.

    Args:
        to: the address.
        subject: one line; line breaks in it become spaces.
        text: the body, as plain text.
        attachments: PDFs.
        unsubscribe_url: URL of a one-click unsubscription (RFC 8058), for mails that somebody can do without.
    """

    to: str
    subject: str
    text: str
    attachments: Sequence[Attachment] = ()
    unsubscribe_url: str | None = None


class RefusedError(Exception):
    """The mail server rejects the mail permanently; the message has the reply code, and no address.

    Args:
        mailbox: whether the recipient's mailbox is the reason: it does not exist, or is disabled.
    """

    def __init__(self, reason: str, *, mailbox: bool = False) -> None:
        super().__init__(reason)
        self.mailbox = mailbox


class Outgoing(Protocol):
    """Queue of outgoing mails and other messages, in the current transaction."""

    def add(self, kind: str, parameters: Mapping[str, str]) -> None:
        """Queue a message, to be sent once the transaction commits.

        Args:
            kind: kind of the job that sends it.
            parameters: of the template; no secrets, since they are stored.
        """


class EmailTemplate(Protocol):
    def write(self, parameters: Mapping[str, str]) -> Mail | None:
        """Render the mail; None if it has become obsolete."""


class Mailer(Protocol):
    def send(self, mail: Mail, mail_id: UUID) -> None:
        """Send a mail.

        Args:
            mail: the mail.
            mail_id: the same at each retry, for the Message-ID, by which recipients detect duplicates.

        Raises:
            UnavailableError: a temporary failure; a retry may succeed.
            RefusedError: a permanent failure.
        """


class NoMailer:
    """Sends nothing, and logs a warning once."""

    def __init__(self) -> None:
        self._said = False

    def send(self, mail: Mail, mail_id: UUID) -> None:
        del mail, mail_id
        if not self._said:
            self._said = True
            log.warning("mails are not sent: APP_SMTP_HOST is not set")


class SmtpMailer:
    """Sends over SMTP, with one connection a mail.

    Args:
        settings: with SMTP host and sender.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sender_name, _, self._sender = (settings.mail_from or "").rstrip(">").rpartition("<")

    def send(self, mail: Mail, mail_id: UUID) -> None:
        message = self._message(mail, mail_id)
        # `from None`: the server's reply may contain the address, which must not be logged.
        try:
            self._deliver(mail.to, message)
        except smtplib.SMTPRecipientsRefused as error:
            [(code, reply)] = error.recipients.values()
            raise _error(code, mailbox=_is_mailboxs(code, reply)) from None
        except smtplib.SMTPResponseException as error:
            raise _error(error.smtp_code) from None
        except (smtplib.SMTPException, OSError) as error:
            raise UnavailableError("The mail server can't be reached.") from error

    def _deliver(self, recipient: str, message: bytes) -> None:
        server = self._connect()
        try:
            server.sendmail(self._sender, [recipient], message)
            # The server has accepted the mail, whether QUIT succeeds or not.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            server.close()

    def _message(self, mail: Mail, mail_id: UUID) -> bytes:
        """Return the message, 7-bit, which every server accepts. Raises ValueError for a malformed address."""
        fields = [
            address_field("From", self._sender, self._sender_name),
            address_field("To", mail.to),
            text_field("Subject", mail.subject),
            f"Date: {formatdate()}{EOL}",
            f"Message-ID: <{mail_id}@{self._sender.rpartition('@')[2]}>{EOL}",
            f"Auto-Submitted: auto-generated{EOL}",  # RFC 3834: no automatic replies
        ]
        if mail.unsubscribe_url:
            fields.append(f"List-Unsubscribe: <{mail.unsubscribe_url}>{EOL}")
            if mail.unsubscribe_url.startswith("https:"):  # RFC 8058, section 3.1
                fields.append(f"List-Unsubscribe-Post: List-Unsubscribe=One-Click{EOL}")
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
    """Return the mailer of the settings."""
    return SmtpMailer(settings) if settings.smtp_host else NoMailer()


def _is_mailboxs(code: int, reply: bytes | str) -> bool:
    """Return whether the mailbox is the reason of a reply to RCPT: by its enhanced status code (RFC 3463), or, without
    one, by the codes of mailboxes. A server that refuses the sender or the relaying says 5.7."""
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    if enhanced := ENHANCED_CODE.match(text):
        return enhanced[0] in MAILBOX_CODES
    return code in (550, 551, 553)


def _error(code: int, *, mailbox: bool = False) -> Exception:
    """Return the error for a reply code: 5xx is permanent, 4xx transient (RFC 5321, section 4.2.1)."""
    if code >= 500 and code not in MISCONFIGURED:
        return RefusedError(f"The mail server refuses the mail ({code}).", mailbox=mailbox)
    return UnavailableError(f"The mail server does not take the mail now ({code}).")
