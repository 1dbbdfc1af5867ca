"""Wording of the weekly report, shared by HTML and PDF."""

from datetime import date

from app.analytics.report import WeeklyReport

UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
TIME_ZONE = "Days begin and end at midnight, UTC."


def heading(report: WeeklyReport) -> str:
    """Return the title, for example `Week 47: 16 November to 22 November 2026`."""
    week = report.week
    _, number, _ = week.monday.isocalendar()
    return f"Week {number}: {_day(week.monday)} to {_day(week.sunday)} {week.sunday.year}"


def figures(report: WeeklyReport) -> list[tuple[str, str]]:
    """Return the figures of the week as pairs of label and value."""
    of = report.of
    rate, duration = of.completion_rate, of.duration
    return [
        ("Created", f"{of.created} (the week before: {report.created_before})"),
        ("Completed", f"{of.completed} (the week before: {report.completed_before})"),
        ("Done of those created", "none created" if rate is None else f"{rate:.0%}"),
        ("Time to completion, median", "none completed" if duration is None else span(duration.median)),
        ("Overdue now", str(of.totals.overdue)),
        ("Open now", str(of.totals.todo + of.totals.in_progress)),
        ("Days in a row with something done", str(of.streak)),
    ]


def span(seconds: float) -> str:
    """Return a duration in its two largest units, for example `2 days 3 hours`."""
    parts, rest = [], round(seconds)
    for unit, size in UNITS:
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number} {unit}{'s' if number > 1 else ''}")
    return " ".join(parts[:2]) or "less than a minute"


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"
