"""ISO weeks."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self


@dataclass(frozen=True)
class Week:
    """A week from Monday to Sunday (ISO 8601).

    Args:
        monday: the first day.
    """

    monday: date

    @classmethod
    def containing(cls, day: date) -> Self:
        """Return the week of a day."""
        return cls(day - timedelta(days=day.weekday()))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a week such as `2026-W47`. Raises ValueError if it does not exist."""
        year, _, number = text.partition("-W")
        return cls(date.fromisocalendar(int(year), int(number), 1))

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    @property
    def before(self) -> "Week":
        return Week(self.monday - timedelta(days=7))

    def __str__(self) -> str:
        year, number, _ = self.monday.isocalendar()
        return f"{year:04}-W{number:02}"
