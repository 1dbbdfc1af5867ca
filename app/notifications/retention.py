"""Retention rules of the notifications tables."""

from datetime import timedelta

from app.core.database.retention import WITH_ACCOUNT, ExpiryRule, KeepRule, Rule
from app.notifications.tables import (
    ChannelChoiceRow,
    DeliveryRow,
    NotificationRow,
    PhoneRow,
    PreferencesRow,
    RecipientRow,
)

NOTIFICATIONS = timedelta(days=90)

RULES: tuple[Rule, ...] = (
    ExpiryRule(NotificationRow, "notifications, read or not", NotificationRow.created_at, NOTIFICATIONS),
    ExpiryRule(DeliveryRow, "of notifications", DeliveryRow.created_at, NOTIFICATIONS),
    KeepRule(RecipientRow, WITH_ACCOUNT),
    KeepRule(PreferencesRow, WITH_ACCOUNT),
    KeepRule(ChannelChoiceRow, WITH_ACCOUNT),
    KeepRule(PhoneRow, f"{WITH_ACCOUNT}, or by the user"),
)
