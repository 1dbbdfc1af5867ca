"""Quiet hours: a daily period by the wall clock of the user's time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)

LONGEST_DAY = 49 * 60
"""Minutes within which any daily period ends, also on a day of which a time zone repeats or skips a part."""


@dataclass(frozen=True)
class QuietHours:
    """A daily period; it may include midnight.

    Args:
        start, end: wall-clock times in whole minutes, which differ. The end is no longer quiet.
    """

    start: time
    end: time

    def include(self, wall: time) -> bool:
        """Return whether a wall-clock time is quiet."""
        if self.start < self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end

    def until(self, now: datetime, time_zone: str) -> datetime | None:
        """Return when the quiet hours that include `now` end, in UTC; None if it is not quiet.

        The wall clock decides at each minute, so a clock change needs no rule: an hour that is skipped is not waited
        for, and one that is repeated is quiet both times, or not.
        """
        zone = ZoneInfo(time_zone)
        if not self.include(now.astimezone(zone).time()):
            return None
        minute = now.astimezone(UTC).replace(second=0, microsecond=0)
        for _ in range(LONGEST_DAY):
            minute += MINUTE
            if not self.include(minute.astimezone(zone).time()):
                return minute
        raise ValueError("quiet hours without an end")
