"""Notifications and preferences of a user."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from app.core.clock import Clock, NewId
from app.core.database.retries import retried
from app.core.errors import InvalidError, NotFoundError
from app.notifications.events import preferences_changed
from app.notifications.model import MAIL_PREFERENCES, Channel, Choices, Kind, Notification, Preferences
from app.notifications.ports import NotificationStorage, NotificationWork

NO_SUCH_NOTIFICATION = "There is no such notification."


class NotificationService:
    def __init__(self, storage: NotificationStorage, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._clock = clock
        self._new_id = new_id

    @retried
    def find(
        self, user_id: UUID, after: UUID | None, limit: int, kinds: Collection[Kind] = tuple(Kind)
    ) -> tuple[list[Notification], int]:
        """Return up to `limit` notifications, newest first, older than `after`; and the total number of unread ones."""
        with self._storage.read_of(user_id, snapshot=True) as work:
            return work.notifications.find(user_id, after, limit, kinds), work.notifications.unread(user_id, kinds)

    @retried
    def mark_read(self, user_id: UUID, notification_id: UUID) -> None:
        """Mark a notification as read. Raises NotFoundError."""
        with self._storage.write() as work:
            if not work.notifications.mark_read(user_id, notification_id, self._clock()):
                raise NotFoundError(NO_SUCH_NOTIFICATION)

    @retried
    def mark_all_read(self, user_id: UUID) -> None:
        """Mark all current notifications as read."""
        with self._storage.write() as work:
            work.notifications.mark_all_read(user_id, self._clock())

    @retried
    def preferences(self, user_id: UUID) -> Preferences:
        """Return the user's preferences."""
        with self._storage.read_of(user_id) as work:
            return work.preferences.get(user_id)

    @retried
    def email_suspended(self, user_id: UUID) -> str | None:
        """Return why no mail goes to the user's address any more, if so."""
        with self._storage.read_of(user_id) as work:
            recipient = work.recipients.get(user_id)
        return recipient.suspended if recipient else None

    @retried
    def resume_email(self, user_id: UUID) -> None:
        """Let mails go to the user's address again."""
        with self._storage.write() as work:
            work.recipients.resume(user_id)

    @retried
    def prefer(self, user_id: UUID, change: Mapping[str, object], choices: Choices | None = None) -> Preferences:
        """Change and return the user's preferences; what is not named stays unchanged.

        Args:
            user_id: the user.
            change: fields of Preferences, except `others`.
            choices: channels by kind.

        Raises:
            InvalidError: `change` and `choices` contradict each other.
        """
        fields, others = _by_place(change, choices or {})
        with self._storage.write() as work:
            if not fields and not others:
                return work.preferences.get(user_id)
            return _store(work, user_id, fields, others, self._new_id, self._clock())


def switch_off(
    work: NotificationWork, user_id: UUID, kind: Kind, channel: Channel, new_id: NewId, now: datetime
) -> None:
    """Let a user get no more notifications of a kind by a channel, in the transaction of `work`."""
    _store(work, user_id, *_by_place({}, {kind: {channel: False}}), new_id, now)


def _store(
    work: NotificationWork,
    user_id: UUID,
    fields: Mapping[str, object],
    others: Choices,
    new_id: NewId,
    now: datetime,
) -> Preferences:
    work.preferences.change(user_id, fields, others)
    preferences = work.preferences.get(user_id)
    work.outbox.add(preferences_changed(user_id, preferences, new_id, now))
    return preferences


def _by_place(change: Mapping[str, object], choices: Choices) -> tuple[dict[str, object], Choices]:
    """Return the fields of Preferences that change, and the choices that go into `others`."""
    fields = dict(change)
    others: dict[Kind, dict[Channel, bool]] = {}
    for kind, channels in choices.items():
        for channel, wanted in channels.items():
            name = MAIL_PREFERENCES.get(kind) if channel is Channel.EMAIL else None
            if name is None:
                others.setdefault(kind, {})[channel] = wanted
            elif fields.setdefault(name, wanted) != wanted:
                raise InvalidError(name, f"contradicts channels.{kind}.{channel}: give one of them")
    return fields, others
