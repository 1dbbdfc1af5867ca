"""E-mail verification by a signed link."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from app.auth import events
from app.auth.model import User
from app.auth.ports import AuthStorage, AuthWork
from app.core.clock import Clock, NewId
from app.core.database.retries import retried, run
from app.core.errors import InvalidError
from app.core.mail import Mail
from app.core.security.signing import Signer

LIFETIME = timedelta(days=3)

BATCH = 500
"""Mails queued per transaction: on SQLite it blocks all other writers."""

MAIL = "email_verification"
"""Kind of the mail with the link."""

TEXT = """\
Hello,

somebody, most likely you, opened an account with this address. This page verifies the address:

{link}

The link is good for 3 days. If it was not you, leave this mail: reminders and reports go to verified addresses only.
"""

TOKEN = re.compile(r"([0-9a-f]{32})\.([0-9]{1,12})\.([A-Za-z0-9_-]+)", re.ASCII)

log = structlog.get_logger(__name__)


class EmailVerificationService:
    """Verifies e-mail addresses by a signed link that expires.

    Args:
        signer: signs the tokens of the links; its key serves no other purpose.
        public_url: base URL of the front end.
    """

    def __init__(self, storage: AuthStorage, signer: Signer, public_url: str, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._signer = signer
        self._public_url = public_url
        self._clock = clock
        self._new_id = new_id

    @retried
    def request(self, user_id: UUID) -> None:
        """Send another link, unless the address is verified."""
        with self._storage.write() as work:
            user = work.users.by_id(user_id)
            if user and not user.email_verified:
                queue_mail(work, user_id)

    def request_all(self) -> int:
        """Send a link to every unlocked account whose address is not verified; return their number."""
        count, last = 0, None
        while batch := self._queue_after(last):
            count, last = count + len(batch), batch[-1]
        return count

    @retried
    def _queue_after(self, last: UUID | None) -> list[UUID]:
        with self._storage.write() as work:
            batch = work.users.unverified(last, BATCH)
            for user_id in batch:
                queue_mail(work, user_id)
        return batch

    @retried
    def write(self, parameters: Mapping[str, str]) -> Mail | None:
        """Render the mail with the link; None if the address is verified or the account locked.

        It contains no text of the account's owner, such as the name: the address may be a stranger's.
        """
        with self._storage.read() as work:
            user = work.users.by_id(UUID(parameters["user_id"]))
        if user is None or user.email_verified or user.disabled:
            return None
        link = f"{self._public_url}/#/verify?token={self._token(user)}"
        return Mail(user.email, "Verify your e-mail address", TEXT.format(link=link))

    def confirm(self, token: str) -> None:
        """Mark an address as verified; idempotent, so that a link may be opened twice.

        Args:
            token: the token of the link.

        Raises:
            InvalidError: the token is invalid or has expired.
        """
        parts = TOKEN.fullmatch(token)
        if parts is None:
            raise _invalid_token()
        user_id, expires, signature = UUID(hex=parts[1]), int(parts[2]), parts[3]
        user = run(self._storage.read, lambda work: work.users.by_id(user_id))
        now = self._clock()
        if (
            user is None
            or expires <= now.timestamp()
            or not self._signer.verify_text(_message(user, expires), signature)
        ):
            raise _invalid_token()
        run(self._storage.write, lambda work: mark_verified(work, user_id, now, self._new_id))
        log.info("address verified", user_id=str(user_id))

    def _token(self, user: User) -> str:
        expires = int((self._clock() + LIFETIME).timestamp())
        return f"{user.id.hex}.{expires}.{self._signer.sign_as_text(_message(user, expires))}"


def queue_mail(work: AuthWork, user_id: UUID) -> None:
    """Queue the mail with the link in this transaction."""
    work.mails.add(MAIL, {"user_id": str(user_id)})


def mark_verified(work: AuthWork, user_id: UUID, now: datetime, new_id: NewId) -> None:
    """Mark an account's address as verified and publish the change; a no-op if it already is."""
    user = work.users.by_id(user_id)
    if user and not user.email_verified:
        work.users.set_verified(user_id, now)
        work.outbox.add(events.changed(replace(user, verified_at=now), new_id, now))


def _message(user: User, expires: int) -> bytes:
    # Includes the address: a link verifies only the address that it was sent to, not a later one.
    return f"{user.id.hex}\n{expires}\n{user.email}".encode()


def _invalid_token() -> InvalidError:
    return InvalidError("token", "is not good any more: ask for a new link")
