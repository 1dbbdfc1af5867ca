"""One-click unsubscription from a kind of mails by a signed link (RFC 8058)."""

import re
from uuid import UUID

from app.core.clock import Clock, NewId
from app.core.database.retries import retried
from app.core.errors import InvalidError
from app.core.security.signing import Signer
from app.notifications.model import Channel, Kind
from app.notifications.ports import NotificationStorage
from app.notifications.service import switch_off

PATH = "/api/v1/notifications/unsubscribe"

TOKEN = re.compile(r"([0-9a-f]{32})\.([a-z_]{1,20})\.([A-Za-z0-9_-]{1,100})", re.ASCII)


class UnsubscriptionService:
    """Unsubscribes by the link of a mail, which does not expire: a mail is kept for years.

    Args:
        signer: signs the tokens of the links; its key serves no other purpose.
        public_url: base URL of the links.
    """

    def __init__(
        self, storage: NotificationStorage, signer: Signer, public_url: str, clock: Clock, new_id: NewId
    ) -> None:
        self._storage = storage
        self._signer = signer
        self._public_url = public_url
        self._clock = clock
        self._new_id = new_id

    def url(self, user_id: UUID, kind: Kind) -> str:
        """Return the link that unsubscribes a user from the mails of a kind."""
        signature = self._signer.sign_as_text(_message(user_id, kind))
        return f"{self._public_url}{PATH}?token={user_id.hex}.{kind}.{signature}"

    def kind_of(self, token: str) -> Kind:
        """Return the kind of mails that a token unsubscribes from. Raises InvalidError."""
        return self._parse(token)[1]

    def unsubscribe(self, token: str) -> Kind:
        """Unsubscribe by a token, and return the kind of mails; idempotent.

        Raises:
            InvalidError: the token is not one of ours.
        """
        user_id, kind = self._parse(token)
        self._switch_off(user_id, kind)
        return kind

    @retried
    def _switch_off(self, user_id: UUID, kind: Kind) -> None:
        with self._storage.write() as work:
            # Nothing is stored about a user who has been deleted.
            if work.recipients.lock(user_id) is None or not work.preferences.get(user_id).wants(kind, Channel.EMAIL):
                return
            switch_off(work, user_id, kind, Channel.EMAIL, self._new_id, self._clock())

    def _parse(self, token: str) -> tuple[UUID, Kind]:
        parts = TOKEN.fullmatch(token)
        if parts is None or parts[2] not in set(Kind):
            raise _invalid_token()
        user_id, kind = UUID(hex=parts[1]), Kind(parts[2])
        if not self._signer.verify_text(_message(user_id, kind), parts[3]):
            raise _invalid_token()
        return user_id, kind


def _message(user_id: UUID, kind: Kind) -> bytes:
    return f"{user_id.hex}\n{kind}".encode()


def _invalid_token() -> InvalidError:
    return InvalidError("token", "is not complete: open the link of the mail once more")
