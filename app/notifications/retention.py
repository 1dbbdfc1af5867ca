"""How long the rows of notifications stay."""

from datetime import timedelta

from app.core.database.retention import WITH_ACCOUNT, Expiring, Kept, Rule
from app.notifications.tables import NotificationRow, PreferencesRow, RecipientRow

NOTIFICATIONS = timedelta(days=90)

RULES: tuple[Rule, ...] = (
    Expiring(NotificationRow, "notifications, read or not", NotificationRow.created_at, NOTIFICATIONS),
    Kept(RecipientRow, WITH_ACCOUNT),
    Kept(PreferencesRow, WITH_ACCOUNT),
)
