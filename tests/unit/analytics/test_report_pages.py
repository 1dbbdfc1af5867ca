"""Weekly report as HTML and PDF: equal figures for any content and size."""

import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from app.analytics.model import Day, Duration, Finished, Statistics, Totals
from app.analytics.report import MOST_TITLES, WeeklyReport
from app.analytics.report_html import page
from app.analytics.report_pdf import pdf
from app.analytics.week import Week
from app.analytics.wording import figures, heading, span

WEEK = Week(date(2026, 11, 16))
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def report(
    titles: Sequence[str] = (), counts: Sequence[tuple[int, int]] = ((0, 0),) * 7, rate: float | None = 0.5
) -> WeeklyReport:
    days = [Day(WEEK.monday + timedelta(days=n), *pair) for n, pair in enumerate(counts)]
    of = Statistics(WEEK.monday, WEEK.sunday, Totals(3, 4, 12, 2), days, rate, Duration(93_784, 1.0), 4)
    return WeeklyReport(WEEK, NOW, of, 9, 5, [Finished(title, NOW) for title in titles])


class Reader(HTMLParser):
    """Parser of a page: its elements, and the text of each item and cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.texts: dict[str, list[str]] = {}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self._open = tag
        self.texts.setdefault(tag, []).append("")
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open][-1] += data


def text_of(document: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages)


@settings(deadline=None)  # the first example loads the template
@given(st.lists(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])), max_size=MOST_TITLES))
@example(['<img src=x onerror="alert(1)"> & {{ 7 * 7 }} 日本語 🦋', "</li></ul><script>alert(1)</script>"])
def test_titles_are_escaped_on_the_page(titles: list[str]) -> None:
    shown = Reader(page(report(titles)))
    plain = Reader(page(report(["plain"] if titles else [])))
    assert shown.elements == plain.elements
    assert shown.texts.get("li", []) == titles


def test_the_page_and_the_pdf_have_the_same_figures() -> None:
    it = report(["one"], [(n, 6 - n) for n in range(7)])
    shown, printed = Reader(page(it)), text_of(pdf(it))
    assert shown.texts["h1"] == ["Week 47: 16 November to 22 November 2026"]
    assert heading(it) in printed
    for name, value in figures(it):
        assert name in shown.texts["th"]
        assert value in shown.texts["td"]
        assert f"{name} {value}" in re.sub(r"\s+", " ", printed)
    for day in it.of.days:
        name = f"{day.date:%A}, {day.date}"
        assert name in shown.texts["th"]
        assert f"{name} {day.created} {day.completed}" in re.sub(r"\s+", " ", printed)


def test_the_labels_of_figures() -> None:
    assert dict(figures(report(counts=[(1, 2), *[(0, 0)] * 6]))) == {
        "Created": "1 (the week before: 9)",
        "Completed": "2 (the week before: 5)",
        "Done of those created": "50%",
        "Time to completion, median": "1 day 2 hours",
        "Overdue now": "2",
        "Open now": "7",
        "Days in a row with something done": "4",
    }
    assert dict(figures(report(rate=None)))["Done of those created"] == "none created"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "less than a minute"), (60, "1 minute"), (7_500, "2 hours 5 minutes"), (864_060, "10 days 1 minute")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert span(seconds) == words


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=7, max_size=7))
def test_the_pdf_is_one_small_page_whatever_the_figures(counts: list[tuple[int, int]]) -> None:
    document = pdf(report(["日本語 🦋"] * MOST_TITLES, counts))
    assert len(PdfReader(io.BytesIO(document)).pages) == 1
    assert len(document) < 10_000


def test_the_length_of_bars_is_proportional() -> None:
    heights = [
        float(h) for h in re.findall(r'<rect [^>]* height="([\d.]+)"', page(report(counts=[(4, 2), *[(0, 1)] * 6])))
    ]
    assert heights == [120, 60, *[0, 30] * 6]


@given(st.dates(min_value=date(1970, 1, 1), max_value=date(9999, 12, 1)))
def test_week_names_round_trip(day: date) -> None:
    week = Week.containing(day)
    assert week.monday <= day <= week.sunday
    assert week.monday.weekday() == 0
    assert Week.parse(str(week)) == week
    assert week.before.sunday == week.monday - timedelta(days=1)


def test_a_week_of_the_turn_of_the_year_is_named_by_its_thursday() -> None:
    assert str(Week.containing(date(2027, 1, 1))) == "2026-W53"
    assert Week.parse("2026-W53").monday == date(2026, 12, 28)
    with pytest.raises(ValueError, match="week"):
        Week.parse("2027-W53")
