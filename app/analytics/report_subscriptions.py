"""Event consumer that projects preferences into report subscriptions."""

from app.analytics.ports import AnalyticsWork
from app.core.events.model import Event


class ReportSubscriptionProjection:
    """Projects the weekly_report preference of the notifications service."""

    name = "analytics.reports"
    events = frozenset({"preferences.changed"})

    def handle(self, work: AnalyticsWork, event: Event) -> None:
        if event.user_id is None:
            raise ValueError(f"{event.name} without a user")
        work.subscriptions.put(event.user_id, event.payload["weekly_report"] is True, event.at)
