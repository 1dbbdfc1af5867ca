"""Bell, notifications and mail preferences, in a real browser on the real server."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser_expiry import V1
from tests.support.phone import PHONE, expect_no_overflow
from tests.support.ports import wait_for
from tests.support.server import Server


@pytest.fixture
def api(running: Server, page: Page, email: str, password: str) -> httpx.Client:
    """API client of another session of the page's user."""
    del page  # the fixture has registered the account
    answer = httpx.post(f"{running.url}{V1}/auth/login", json={"email": email, "password": password})
    token = answer.raise_for_status().json()["access_token"]
    return httpx.Client(base_url=f"{running.url}{V1}", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def reminded(api: httpx.Client, page: Page) -> Page:
    """The page of a user with two reminders."""
    titles: list[str] = []

    def arrived() -> bool:
        return [each["title"] for each in api.get("/notifications").json()["items"]] == titles[::-1]

    for title in ("<b>Moth</b>", "Relay"):
        titles.append(title)
        task = {"title": title, "remind_at": datetime.now(UTC).isoformat()}
        api.post("/tasks", json=task).raise_for_status()
        wait_for(arrived, "the reminder comes")
    page.reload()
    return page


def entry(page: Page, title: str) -> Locator:
    return page.locator(".entry").filter(has=page.get_by_text(title, exact=True))


def test_the_bell_counts_unread_notifications_and_the_list_shows_them(reminded: Page) -> None:
    page = reminded
    page.get_by_role("link", name="Notifications, 2 unread").click()
    expect(page.get_by_role("heading", name="Notifications")).to_be_visible()
    expect(page.locator(".entry strong")).to_have_text(["Relay", "<b>Moth</b>"])
    entry(page, "Relay").get_by_role("button", name="Mark Relay as read").press("Enter")
    expect(page.get_by_role("link", name="Notifications, 1 unread")).to_be_visible()
    expect(entry(page, "Relay").get_by_role("button")).to_have_count(0)
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Mark all as read")).to_be_disabled()
    page.reload()
    expect(page.locator(".entry")).to_have_count(2)
    expect(page.locator(".entry.unread")).to_have_count(0)
    entry(page, "Relay").get_by_role("link", name="Show the task Relay").click()
    expect(page.locator(".task-title")).to_have_text(["Relay"])


def test_the_list_fits_the_smallest_phone(reminded: Page) -> None:
    reminded.set_viewport_size(PHONE)
    reminded.get_by_role("link", name="Notifications, 2 unread").click()
    expect(reminded.locator(".entry")).to_have_count(2)
    expect_no_overflow(reminded)


def test_mail_preferences_are_saved(page: Page, api: httpx.Client) -> None:
    page.get_by_role("link", name="Your profile").click()
    reminders, report = page.get_by_label("Remind me of tasks by mail"), page.get_by_label("Send me a report each week")
    expect(reminders).to_be_checked()
    expect(report).not_to_be_checked()
    reminders.uncheck()
    expect(page.get_by_text("Your choice is saved.")).to_be_visible()
    page.reload()
    expect(reminders).to_be_enabled()
    expect(reminders).not_to_be_checked()
    assert (
        api.get("/notifications/preferences").json().items()
        >= {"reminder_mails": False, "weekly_report": False}.items()
    )


def test_channels_and_quiet_hours_are_saved(page: Page, api: httpx.Client) -> None:
    def preferences() -> dict[str, Any]:
        found: dict[str, Any] = api.get("/notifications/preferences").json()
        return found

    page.get_by_role("link", name="Your profile").click()
    page.get_by_label("Overdue tasks: Mail").check()
    expect(page.get_by_text("Your choice is saved.")).to_be_visible()
    wait_for(lambda: preferences()["channels"]["overdue"]["email"], "the choice is saved")
    page.get_by_label("Reminders: Mail").uncheck()
    expect(page.get_by_label("Remind me of tasks by mail")).not_to_be_checked()
    expect(page.get_by_label("From")).to_be_disabled()
    page.get_by_label("Quiet hours: no mails and no SMS").check()
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_label("From").fill("21:30")
    page.get_by_label("From").blur()
    hours = {"start": "21:30", "end": "07:00"}
    wait_for(lambda: preferences()["quiet_hours"] == hours, "the quiet hours are saved")
    assert preferences()["time_zone"] == "Europe/Berlin"
    page.reload()
    expect(page.get_by_label("Overdue tasks: Mail")).to_be_checked()
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
    expect(page.get_by_role("heading", name="Number for SMS")).to_be_hidden()


def test_the_profile_fits_the_smallest_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.get_by_role("link", name="Your profile").click()
    expect(page.get_by_label("Time zone")).to_be_visible()
    expect_no_overflow(page)
