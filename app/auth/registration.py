"""Registration; with mail enabled, the response does not disclose whether an address has an account."""

from collections.abc import Mapping
from uuid import UUID

from app.auth import email_verification, events
from app.auth.model import User
from app.auth.ports import AuthStorage, AuthWork, PasswordHashing
from app.core.clock import Clock, NewId
from app.core.database.retries import retried, run
from app.core.errors import ConflictError
from app.core.mail import Mail
from app.core.text import normalise_email

MAIL = "account_exists"
"""Kind of the mail to the owner of an account whose address is registered again."""

TEXT = """\
Hello,

somebody, most likely you, wanted to open an account with this address. It has one already:

Log in: {url}/#/login
Choose a new password: {url}/#/forgot

If it was not you, leave this mail: your account stays as it is.
"""


class RegistrationService:
    """Opens accounts.

    Args:
        public_url: base URL of the front end.
        mail_enabled: whether mail is sent. Without mail the response itself has to say that an address is taken.
    """

    def __init__(
        self,
        storage: AuthStorage,
        passwords: PasswordHashing,
        public_url: str,
        mail_enabled: bool,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._storage = storage
        self._passwords = passwords
        self._public_url = public_url
        self._mail_enabled = mail_enabled
        self._clock = clock
        self._new_id = new_id

    def register(self, email: str, password: str, name: str) -> User:
        """Open an account and mail the link that verifies its address.

        With mail enabled, a taken address takes the same work and gives the same result, with an identifier that
        belongs to no account; the owner of the address gets a mail.

        Raises:
            ConflictError: the address has an account, and no mail is sent.
        """
        # Hashed before the transaction: hashing is slow, and SQLite has a single writer.
        password_hash = self._passwords.hash(password)
        user = User(self._new_id(), normalise_email(email), name.strip(), password_hash, self._clock())

        def add(work: AuthWork) -> None:
            work.users.add(user)
            work.outbox.add(events.registered(user, self._new_id))
            if self._mail_enabled:
                email_verification.queue_mail(work, user.id)

        try:
            run(self._storage.write, add)
        except ConflictError:
            if not self._mail_enabled:
                raise
            self._queue_account_exists(user.email)
        return user

    @retried
    def write(self, parameters: Mapping[str, str]) -> Mail | None:
        """Render the mail to the owner of the account; None if the account is locked."""
        with self._storage.read() as work:
            user = work.users.by_id(UUID(parameters["user_id"]))
        if user is None or user.disabled:
            return None
        return Mail(user.email, "You have an account already", TEXT.format(url=self._public_url))

    @retried
    def _queue_account_exists(self, email: str) -> None:
        with self._storage.write() as work:
            if owner := work.users.by_email(email):
                work.mails.add(MAIL, {"user_id": str(owner.id)})
