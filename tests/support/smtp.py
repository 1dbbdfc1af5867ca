"""Mail server that records mails."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from tests.support.ports import free_port

PUBLIC_URL = "https://tasks.example.org"
"""Base URL of links in mails."""


@dataclass
class Inbox:
    """Received mails, and the replies to a recipient and to a mail."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    to_recipient: str = "250 OK"
    to_mail: str = "250 OK"

    def texts(self) -> list[str]:
        return [str(mail.get_content()) for mail in self.mails]

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 the library's name
        if self.to_recipient.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 the library's name
        if self.to_mail.startswith("2"):
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.to_mail


@contextmanager
def mail_server(
    port: int | None = None, tls: ssl.SSLContext | None = None, kind: type[Inbox] = Inbox, **options: Any
) -> Iterator[Inbox]:
    """Run a server on 127.0.0.1, with STARTTLS if there is a context for it.

    Args:
        port: by default a free one.
        tls: TLS context of the server.
        kind: class of the inbox.
        options: further options of aiosmtpd.
    """
    from aiosmtpd.controller import Controller

    inbox = kind(port or free_port())
    controller = Controller(inbox, hostname="127.0.0.1", port=inbox.port, tls_context=tls, **options)
    controller.loop = asyncio.new_event_loop()
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()
