"""Schemas of notification preferences."""

from datetime import time
from functools import cache
from typing import Annotated, Any, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from app.core.http.schemas import Pattern, RequestModel, ResponseModel, drop_default
from app.notifications.model import Channel, Choices, Kind, Preferences
from app.notifications.quiet_hours import QuietHours

WALL_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"

WallTime = Annotated[str, Field(max_length=5), Pattern(WALL_TIME, "must be a time such as 22:00")]


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known(name: str) -> str:
    if name not in _time_zones():
        raise ValueError("must be an IANA time zone such as Europe/Berlin")
    return name


TimeZone = Annotated[str, Field(max_length=64, description="IANA time zone"), AfterValidator(_known)]


class ChannelsBody(ResponseModel):
    in_app: bool
    email: bool
    sms: bool


class KindsBody(ResponseModel):
    reminder: ChannelsBody
    overdue: ChannelsBody
    task_changed: Annotated[ChannelsBody, Field(description="Tasks changed by an import")]
    report: Annotated[ChannelsBody, Field(description="The weekly report")]


class QuietHoursBody(ResponseModel):
    start: str
    end: str


class PreferencesBody(ResponseModel):
    reminder_mails: Annotated[bool, Field(description="The same as `channels.reminder.email`")]
    weekly_report: Annotated[bool, Field(description="The same as `channels.report.email`")]
    channels: KindsBody
    email_suspended: Annotated[str | None, Field(description="Why no mail goes to the address any more, if so")]
    time_zone: str
    quiet_hours: Annotated[
        QuietHoursBody | None, Field(description="When neither e-mails nor SMS are sent, in the time zone")
    ]

    @classmethod
    def of(cls, preferences: Preferences, email_suspended: str | None) -> Self:
        quiet = preferences.quiet_hours
        hours = QuietHoursBody(start=f"{quiet.start:%H:%M}", end=f"{quiet.end:%H:%M}") if quiet else None
        return cls(
            reminder_mails=preferences.reminder_mails,
            weekly_report=preferences.weekly_report,
            channels=KindsBody.model_validate(preferences.channels),
            email_suspended=email_suspended,
            time_zone=preferences.time_zone,
            quiet_hours=hours,
        )


class ChannelsChange(RequestModel):
    in_app: bool = Field(default=True, json_schema_extra=drop_default, strict=True)
    email: bool = Field(default=True, json_schema_extra=drop_default, strict=True)
    sms: bool = Field(default=True, json_schema_extra=drop_default, strict=True)


class KindsChange(RequestModel):
    reminder: ChannelsChange = Field(default=ChannelsChange(), json_schema_extra=drop_default)
    overdue: ChannelsChange = Field(default=ChannelsChange(), json_schema_extra=drop_default)
    task_changed: ChannelsChange = Field(default=ChannelsChange(), json_schema_extra=drop_default)
    report: ChannelsChange = Field(default=ChannelsChange(), json_schema_extra=drop_default)

    def choices(self) -> Choices:
        """Return what was given."""
        return {
            Kind(kind): {Channel(channel): getattr(given, channel) for channel in given.model_fields_set}
            for kind in self.model_fields_set
            for given in [getattr(self, kind)]
        }


class QuietHoursChange(RequestModel):
    """From `start` until `end`, in the time zone; it may include midnight."""

    start: WallTime
    end: WallTime

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start == self.end:
            raise ValueError("end must differ from start")
        return self

    def hours(self) -> QuietHours:
        return QuietHours(time.fromisoformat(self.start), time.fromisoformat(self.end))


class PreferencesChange(RequestModel):
    """Fields that are absent stay unchanged."""

    reminder_mails: bool = Field(default=True, json_schema_extra=drop_default, strict=True)
    weekly_report: bool = Field(default=False, json_schema_extra=drop_default, strict=True)
    channels: KindsChange = Field(default=KindsChange(), json_schema_extra=drop_default)
    time_zone: TimeZone = Field(default="UTC", json_schema_extra=drop_default)
    quiet_hours: QuietHoursChange | None = Field(default=None, json_schema_extra=drop_default)

    def fields(self) -> dict[str, Any]:
        """Return the fields of Preferences that were given, except the channels."""
        given = {name: getattr(self, name) for name in self.model_fields_set - {"channels"}}
        if self.quiet_hours is not None:
            given["quiet_hours"] = self.quiet_hours.hours()
        return given
