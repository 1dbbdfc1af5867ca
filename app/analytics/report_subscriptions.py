"""Event consumer that projects preferences into report subscriptions."""

from types import MappingProxyType
from typing import NotRequired, cast

from typing_extensions import TypedDict

from app.analytics.ports import AnalyticsWork
from app.core.events.model import Event


class MailPreferences(TypedDict):
    weekly_report: bool
    # Absent in events of releases without channels.
    report_wanted: NotRequired[bool]


class ReportSubscriptionProjection:
    """Projects whether somebody wants the weekly report, by whatever channel."""

    name = "analytics.reports"
    reads = MappingProxyType({"preferences.changed": MailPreferences})
    events = reads.keys()

    def handle(self, work: AnalyticsWork, event: Event) -> None:
        if event.user_id is None:
            raise ValueError(f"{event.name} without a user")
        preferences = cast("MailPreferences", event.payload)
        wanted = preferences.get("report_wanted", preferences["weekly_report"])
        work.subscriptions.put(event.user_id, wanted, event.at)
