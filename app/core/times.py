"""Timestamps in RFC 3339."""

import re
from datetime import UTC, datetime

RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[T]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII)

# One day inside the range of datetime, so that a database can convert the time to any zone.
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, tzinfo=UTC)


def parse_rfc3339(text: str) -> datetime:
    """Parse an RFC 3339 time with an offset into UTC; digits below microseconds are truncated.

    Raises:
        ValueError: with a message for the client.
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
    """Convert an aware time to UTC. Raises ValueError outside EARLIEST to LATEST."""
    try:
        time = time.astimezone(UTC)
    except OverflowError:
        raise ValueError("is not a time that exists") from None
    if not EARLIEST <= time <= LATEST:
        raise ValueError("must lie between 0001-01-02 and 9999-12-30")
    return time
