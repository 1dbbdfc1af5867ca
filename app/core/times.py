"""Timestamps as text: RFC 3339."""

import re
from datetime import UTC, datetime

RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[T]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII)

# A day within what Python can represent: so a database may show the time in any zone.
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, tzinfo=UTC)


def parse_rfc3339(text: str) -> datetime:
    """Parse an RFC 3339 time with an offset into UTC; digits below microseconds are dropped.

    Raises:
        ValueError: with words for whoever wrote it.
    """
    upper = text.upper()
    if not RFC3339.fullmatch(upper):
        raise ValueError("must be a time with an offset, like 2030-01-31T12:00:00Z (RFC 3339)")
    try:
        time = datetime.fromisoformat(upper)
    except ValueError:
        raise ValueError("is not a time that exists") from None
    return in_utc(time)


def in_utc(time: datetime) -> datetime:
    """Return an aware time in UTC. Raises ValueError if it lies beyond what databases can show in any zone."""
    try:
        time = time.astimezone(UTC)
    except OverflowError:
        raise ValueError("is not a time that exists") from None
    if not EARLIEST <= time <= LATEST:
        raise ValueError("must lie between 0001-01-02 and 9999-12-30")
    return time
