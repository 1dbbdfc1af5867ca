"""Event consumer that projects preferences into report subscriptions."""

from types import MappingProxyType
from typing import cast

from typing_extensions import TypedDict

from app.analytics.ports import AnalyticsWork
from app.core.events.model import Event


class MailPreferences(TypedDict):
    weekly_report: bool


class ReportSubscriptionProjection:
    """Projects the weekly_report preference of the notifications service."""

    name = "analytics.reports"
    reads = MappingProxyType({"preferences.changed": MailPreferences})
    events = reads.keys()

    def handle(self, work: AnalyticsWork, event: Event) -> None:
        if event.user_id is None:
            raise ValueError(f"{event.name} without a user")
        preferences = cast("MailPreferences", event.payload)
        work.subscriptions.put(event.user_id, preferences["weekly_report"], event.at)
