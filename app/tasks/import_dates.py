"""Parsing of dates in local formats, once the format is given."""

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Literal

from app.core.times import in_utc, parse_rfc3339

DateFormat = Literal[
    "YYYY-MM-DD",
    "YYYY/MM/DD",
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "DD.MM.YYYY",
    "DD-MM-YYYY",
    "MM-DD-YYYY",
    "DD/MMM/YY",
    "DD MMM YYYY",
    "MMM DD, YYYY",
]

TOKENS = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short_year>\d{2})",
    "MMM": r"(?P<name>[A-Za-z]{3})",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
}

TIME = (
    r"(?:[T,]? ?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,9})?)?(?: ?(?P<half>[AaPp])[Mm])?)?"
)

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

HOURS = (12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
"""Hours of a 12-hour clock, in order."""

END_OF_DAY = (23, 59)
"""Time of day of a date without a time."""


def date_reader(date_format: str | None, zone: tzinfo) -> Callable[[str], datetime]:
    """Return a parser of RFC 3339 times and of one date format, with or without a time.

    Args:
        date_format: a DateFormat; None: RFC 3339 alone.
        zone: time zone of values without one.

    Returns:
        A function that raises ValueError with a message for the client.
    """
    if date_format is None:
        return parse_rfc3339
    pattern = re.compile(_pattern(date_format), re.ASCII)

    def read(text: str) -> datetime:
        found = pattern.fullmatch(text)
        if found is None:
            try:
                return parse_rfc3339(text)
            except ValueError as error:
                reason = str(error).removeprefix("must be ")
                raise ValueError(f"must be a date like {date_format}, or {reason}") from None
        return in_utc(_time(found.groupdict(), zone))

    return read


def _pattern(date_format: str) -> str:
    tokens = re.compile("|".join(TOKENS))
    return tokens.sub(lambda token: TOKENS[token[0]], re.escape(date_format).replace("\\ ", " +")) + TIME


def _time(parts: dict[str, str | None], zone: tzinfo) -> datetime:
    year = int(parts.get("year") or f"20{parts['short_year']}")
    try:
        month = MONTHS.index((parts["name"] or "").lower()) + 1 if "name" in parts else int(parts["month"] or 0)
        hour, minute = END_OF_DAY
        if parts["hour"]:
            hour, minute = int(parts["hour"]), int(parts["minute"] or 0)
        if half := (parts["half"] or "").lower():
            hour = HOURS.index(hour) + (12 if half == "p" else 0)
        return datetime(year, month, int(parts["day"] or 0), hour, minute, int(parts["second"] or 0), tzinfo=zone)
    except ValueError:
        raise ValueError("is not a time that exists") from None
