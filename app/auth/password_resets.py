"""Password resets by a mailed link."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from app.auth.email_verification import mark_verified
from app.auth.model import AuditEntry, PasswordReset
from app.auth.ports import AuthStorage, AuthWork, PasswordHashing
from app.auth.sessions import SessionService
from app.core.clock import Clock, NewId
from app.core.database.retries import retried, run
from app.core.errors import InvalidError
from app.core.mail import Mail
from app.core.text import normalise_email

LIFETIME = timedelta(minutes=30)

MAIL = "password_reset"
"""Kind of the mail with the link."""

TEXT = """\
Hello,

somebody, most likely you, wants to give your account a new password. This page takes it:

{link}

The link is good for 30 minutes, and works once. If it was not you, leave this mail: your password stays as it is.
"""


class Tokens(Protocol):
    def sign(self, identifier: UUID) -> str: ...

    def verify(self, text: str) -> UUID | None: ...


class PasswordResetService:
    """Replaces forgotten passwords by a single-use link that expires.

    Args:
        tokens: signs the identifier of a reset and verifies it: the token itself is neither stored nor logged.
        public_url: base URL of the front end.
    """

    def __init__(
        self,
        storage: AuthStorage,
        passwords: PasswordHashing,
        sessions: SessionService,
        tokens: Tokens,
        public_url: str,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._storage = storage
        self._passwords = passwords
        self._sessions = sessions
        self._tokens = tokens
        self._public_url = public_url
        self._clock = clock
        self._new_id = new_id

    @retried
    def request(self, email: str) -> None:
        """Send a link to the account of this address, if there is one.

        An unknown address causes the same writes, with a queued mail that is never sent, so that the response time
        does not disclose whether an account exists.
        """
        now = self._clock()
        reset_id = self._new_id()
        with self._storage.write() as work:
            user = work.users.by_email(normalise_email(email))
            user_id = user.id if user and not user.disabled else None
            work.resets.add(PasswordReset(reset_id, user_id, now + LIFETIME))
            work.mails.add(MAIL, {"reset_id": str(reset_id)})

    @retried
    def write(self, parameters: Mapping[str, str]) -> Mail | None:
        """Render the mail with the link; None if the reset can't be used any more."""
        reset_id = UUID(parameters["reset_id"])
        with self._storage.read() as work:
            user_id = self._usable(work, reset_id)
            user = work.users.by_id(user_id) if user_id else None
        if user is None:
            return None
        link = f"{self._public_url}/#/reset?token={self._tokens.sign(reset_id)}"
        return Mail(user.email, "A new password for your account", TEXT.format(link=link))

    def confirm(self, token: str, password: str, remote: str) -> None:
        """Set the new password and end all sessions of the account.

        Args:
            token: the token of the link.
            password: the new password.
            remote: the client's address, for the audit log.

        Raises:
            InvalidError: the token is invalid, used or expired.
        """
        reset_id = self._tokens.verify(token)
        user_id = run(self._storage.read, lambda work: self._usable(work, reset_id)) if reset_id else None
        if reset_id is None or user_id is None:
            raise _invalid_token()
        password_hash = self._passwords.hash(password)
        # Before: if the denylist is unavailable, nothing has changed. And after: for a log-in in between.
        self._sessions.end_all(user_id)
        now = self._clock()

        def set_password(work: AuthWork) -> None:
            work.users.locked(user_id)  # before its resets, as everywhere: serialises changes of a password
            if not work.resets.use(reset_id, now):
                raise _invalid_token()
            work.resets.void(user_id, now)
            work.users.set_password_hash(user_id, password_hash)
            mark_verified(work, user_id, now, self._new_id)  # the link was mailed to that address
            work.audit.add(AuditEntry(self._new_id(), now, user_id, "password.reset", user_id, remote, {}))

        run(self._storage.write, set_password)
        self._sessions.end_all(user_id)

    def _usable(self, work: AuthWork, reset_id: UUID) -> UUID | None:
        """Return the user of a reset; None if it has none, was used or has expired."""
        reset = work.resets.get(reset_id)
        good = reset and reset.used_at is None and reset.expires_at > self._clock()
        return reset.user_id if reset and good else None


def _invalid_token() -> InvalidError:
    return InvalidError("token", "is not good any more: ask for a new link")
