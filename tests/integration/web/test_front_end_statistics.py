"""Statistics and the weekly report, in a real browser on the real server."""

import io
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from pypdf import PdfReader

from tests.e2e.browser import Watch
from tests.e2e.browser_expiry import V1
from tests.support.phone import PHONE, expect_no_overflow
from tests.support.ports import wait_for

STATISTICS = re.compile(rf"{V1}/statistics\?")


def answer(first: date, last: date) -> dict[str, Any]:
    """Return statistics with distinct figures."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return {
        "time_zone": "UTC",
        "totals": {"todo": 5, "in_progress": 6, "done": 40, "overdue": 3},
        "created": 61,
        "completed": 47,
        "completion_rate": 0.375,
        "duration": {"median": 93_784, "mean": 1.0},
        "streak": 9,
        "days": [{"date": str(day), "created": n % 5, "completed": n % 3} for n, day in enumerate(days)],
    }


def figures(page: Page) -> dict[str, str]:
    names, values = page.locator(".figure dt"), page.locator(".figure dd")
    return dict(zip(names.all_inner_texts(), values.all_inner_texts(), strict=True))


@pytest.fixture
def statistics(page: Page) -> Page:
    """The page with fake statistics for any range."""

    def fulfill(route: Route) -> None:
        asked = dict(re.findall(r"(from|to)=([\d-]+)", route.request.url))
        route.fulfill(json=answer(date.fromisoformat(asked["from"]), date.fromisoformat(asked["to"])))

    page.route(STATISTICS, fulfill)
    page.get_by_role("link", name="Statistics").click()
    expect(page.get_by_role("heading", name="Created and completed")).to_be_visible()
    return page


def test_changes_of_tasks_are_counted(page: Page) -> None:
    page.get_by_role("button", name="Done: Find the moth").click()

    def counted() -> bool:
        page.goto(page.url.partition("#")[0] + "#/statistics")
        page.reload()
        expect(page.get_by_role("heading", name="Created and completed")).to_be_visible()
        return figures(page)["Completed"] == "1"

    wait_for(counted, "the completed task is counted")
    assert figures(page) == {
        "Completed": "1", "Created": "1", "Done of those created": "100 %",
        "Time to completion, median": figures(page)["Time to completion, median"],
        "Overdue now": "0", "Open now": "0", "Days in a row with something done": "1",
    }  # fmt: skip
    expect(page.get_by_role("row").last.get_by_role("cell")).to_have_text(["1", "1"])


def test_the_table_has_the_figures_of_the_chart(statistics: Page) -> None:
    assert figures(statistics) == {
        "Completed": "47", "Created": "61", "Done of those created": "38 %",
        "Time to completion, median": "1 day 2 hours", "Overdue now": "3", "Open now": "11",
        "Days in a row with something done": "9",
    }  # fmt: skip
    chart = statistics.get_by_role("img", name="Bar chart: 61 created, 47 completed in 30 days")
    expect(chart).to_be_visible()
    rows = statistics.locator("tbody tr")
    expect(rows).to_have_count(30)
    cells = rows.nth(7).locator("td").all_inner_texts()
    assert cells == ["2", "1"]
    title = chart.locator("title").nth(7).text_content() or ""
    assert title.endswith(": 2 created, 1 completed")
    heights = [chart.locator("rect").nth(n).get_attribute("height") for n in (14, 15)]
    assert heights == ["50", "25"]
    expect(statistics.get_by_text("Highest: 4")).to_be_visible()


def test_a_long_range_is_shown_by_week(statistics: Page) -> None:
    statistics.get_by_label("Days", exact=True).select_option("365")
    rows = statistics.locator("tbody tr")
    expect(rows).to_have_count(53)
    expect(statistics.get_by_role("columnheader", name="Seven days from")).to_be_visible()
    counts = [sum(int(cell) for cell in rows.locator(f"td:nth-child({n})").all_inner_texts()) for n in (2, 3)]
    assert counts == [sum(n % 5 for n in range(365)), sum(n % 3 for n in range(365))]
    expect(statistics.locator(".chart-bars g")).to_have_count(53)


def test_everything_is_reached_by_keyboard(statistics: Page) -> None:
    statistics.get_by_label("Days", exact=True).focus()
    reached = []
    for _ in range(4):
        statistics.keyboard.press("Tab")
        reached.append(statistics.evaluate("document.activeElement.ariaLabel ?? document.activeElement.id"))
    assert reached[:2] == ["The same as a table", "statistics-week"]


def test_the_page_fits_the_smallest_phone(statistics: Page) -> None:
    statistics.set_viewport_size(PHONE)
    expect_no_overflow(statistics)
    statistics.get_by_label("Days", exact=True).select_option("365")
    expect(statistics.locator("tbody tr")).to_have_count(53)
    expect_no_overflow(statistics)


def test_a_failure_is_reported_and_can_be_retried(page: Page, watch: Watch) -> None:
    watch.expect("status of 503", f"{V1}/statistics")
    problem = {"title": "Service Unavailable", "detail": "The database is busy.", "status": 503}
    page.route(STATISTICS, lambda route: route.fulfill(status=503, json=problem))
    page.get_by_role("link", name="Statistics").click()
    expect(page.get_by_text("The database is busy.")).to_be_visible()
    page.unroute(STATISTICS)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Created and completed")).to_be_visible()


@pytest.mark.parametrize(("button", "suffix"), [("Save as PDF", "pdf"), ("Save as a web page", "html")])
def test_the_report_of_a_week_is_saved(statistics: Page, button: str, suffix: str) -> None:
    last_week = (datetime.now(UTC) - timedelta(days=7)).isocalendar()
    statistics.get_by_label("Week", exact=True).select_option(index=1)
    with statistics.expect_download() as download:
        statistics.get_by_role("button", name=button).click()
    assert download.value.suggested_filename == f"week-{last_week.year}-W{last_week.week:02}.{suffix}"
    content = download.value.path().read_bytes()
    text = PdfReader(io.BytesIO(content)).pages[0].extract_text() if suffix == "pdf" else content.decode()
    assert f"Week {last_week.week}:" in text
