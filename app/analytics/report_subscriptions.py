"""Event consumer that keeps a copy of who wants the weekly report."""

from app.analytics.ports import AnalyticsWork
from app.core.events.model import Event


class ReportSubscriptionProjection:
    """Keeps, of what users have chosen in the notifications service, what reports are planned by."""

    name = "analytics.reports"
    events = frozenset({"preferences.changed"})

    def handle(self, work: AnalyticsWork, event: Event) -> None:
        if event.user_id is None:
            raise ValueError(f"{event.name} is about nobody")
        work.subscriptions.put(event.user_id, event.payload["weekly_report"] is True, event.at)
