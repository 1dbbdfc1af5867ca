"""Notifications and preferences of a user."""

from uuid import UUID

from app.core.clock import Clock, NewId
from app.core.database.retries import retried
from app.core.errors import NotFoundError
from app.notifications.events import preferences_changed
from app.notifications.model import Notification, Preferences
from app.notifications.ports import NotificationStorage

NO_SUCH_NOTIFICATION = "There is no such notification."


class NotificationService:
    def __init__(self, storage: NotificationStorage, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._clock = clock
        self._new_id = new_id

    @retried
    def find(self, user_id: UUID, after: UUID | None, limit: int) -> tuple[list[Notification], int]:
        """Return up to `limit` notifications, newest first, older than `after`; and the total number of unread ones."""
        with self._storage.read_of(user_id, snapshot=True) as work:
            return work.notifications.find(user_id, after, limit), work.notifications.unread(user_id)

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
        """Return the user's mail preferences."""
        with self._storage.read_of(user_id) as work:
            return work.preferences.get(user_id)

    @retried
    def prefer(self, user_id: UUID, change: dict[str, bool]) -> Preferences:
        """Change and return the user's mail preferences.

        Args:
            user_id: the user.
            change: fields of Preferences; the others stay unchanged.
        """
        with self._storage.write() as work:
            if not change:
                return work.preferences.get(user_id)
            work.preferences.change(user_id, change)
            preferences = work.preferences.get(user_id)
            work.outbox.add(preferences_changed(user_id, preferences, self._new_id, self._clock()))
            return preferences
