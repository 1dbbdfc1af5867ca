"""Profile page, in a real browser on the real server."""

import json
import re
from collections.abc import Callable
from zipfile import ZipFile

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.browser import Watch
from tests.e2e.browser_expiry import V1
from tests.e2e.browser_steps import row
from tests.support.phone import PHONE, expect_no_overflow

EXPORT = "00000000-0000-7000-8000-000000000002"


@pytest.fixture
def profile(page: Page) -> Page:
    page.get_by_role("link", name="Your profile").click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    return page


@pytest.fixture
def elsewhere(elsewhere: httpx.Client, profile: Page) -> httpx.Client:
    """Another session of the same user, listed on the page."""
    profile.reload()
    return elsewhere


def test_a_new_name_shows_at_once_and_stays(profile: Page) -> None:
    profile.get_by_label("Name", exact=True).fill("  ")
    profile.get_by_role("button", name="Save name").click()
    expect(profile.get_by_label("Name", exact=True)).to_have_accessible_description("Tell us what to call you.")
    profile.get_by_label("Name", exact=True).fill("Amazing Grace")
    profile.get_by_role("button", name="Save name").click()
    expect(profile.locator(".profile")).to_contain_text("Amazing Grace")
    profile.reload()
    expect(profile.get_by_label("Name", exact=True)).to_have_value("Amazing Grace")


def test_a_changed_password_applies_and_ends_the_other_sessions(
    profile: Page, watch: Watch, elsewhere: httpx.Client, email: str, password: str
) -> None:
    watch.expect("status of 422", f"{V1}/users/me/password")
    current, new = profile.get_by_label("Current password"), profile.get_by_label("New password")
    current.fill("not the password")
    new.fill("another good password")
    profile.get_by_role("button", name="Change password").click()
    expect(current).to_have_accessible_description("Is not the current password.")
    assert elsewhere.get("/users/me").status_code == 200

    current.fill(password)
    profile.get_by_role("button", name="Change password").click()
    expect(profile.get_by_role("status").get_by_text("Your password is changed.")).to_be_visible()
    assert elsewhere.get("/users/me").status_code == 401
    expect(profile.locator(".entry")).to_have_count(1)

    profile.get_by_role("button", name="Log out", exact=True).click()
    profile.get_by_label("E-mail").fill(email)
    profile.get_by_label("Password", exact=True).fill("another good password")
    profile.get_by_role("button", name="Log in").click()
    expect(row(profile, "Find the moth")).to_be_visible()


def test_another_session_is_ended_from_here(profile: Page, elsewhere: httpx.Client) -> None:
    expect(profile.locator(".entry")).to_have_count(2)
    expect(profile.get_by_text("This session")).to_be_visible()
    profile.get_by_role("button", name="End the session").click()
    expect(profile.locator(".entry")).to_have_count(1)
    assert elsewhere.get("/users/me").status_code == 401


def test_logging_out_everywhere_asks_first_and_ends_every_session(profile: Page, elsewhere: httpx.Client) -> None:
    profile.get_by_role("button", name="Log out everywhere").click()
    profile.keyboard.press("Escape")
    expect(profile.get_by_role("dialog")).to_be_hidden()
    assert elsewhere.get("/users/me").status_code == 200
    profile.get_by_role("button", name="Log out everywhere").click()
    profile.get_by_role("dialog").get_by_role("button", name="Log out everywhere").click()
    expect(profile.get_by_role("alert")).to_have_text("You are logged out on all devices.")
    assert elsewhere.get("/users/me").status_code == 401


def test_a_data_export_is_made_and_downloaded(profile: Page) -> None:
    section = profile.get_by_role("region", name="Your data")
    section.get_by_role("button", name="Make a copy of my data").click()
    expect(section.get_by_text("Copy of your data, done")).to_be_visible()
    profile.reload()
    with profile.expect_download() as download:
        section.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "my-data.zip"
    with ZipFile(download.value.path()) as archive:
        assert [task["title"] for task in json.loads(archive.read("tasks-0001.json"))] == ["Find the moth"]


def test_a_data_export_in_parts_shows_each_and_says_which_failed(profile: Page, watch: Watch) -> None:
    services = ("auth", "tasks", "notifications", "analytics")
    base = f"{V1}/users/me/export"
    copy = {"id": EXPORT, "kind": "data-export.auth", "state": "queued", "done": 0, "total": None, "refused": 0}
    copy |= {"created_at": "2031-02-03T04:05:06Z", "error": None, "result_url": None}
    copy["parts"] = [{"service": name, "url": f"{base}/{name}/{EXPORT}"} for name in services]
    done = {"state": "succeeded", "done": 3, "total": 3, "result_url": f"{base}/tasks/{EXPORT}/result"}
    answers: dict[str, tuple[int, dict[str, object]]] = {
        "auth": (200, done),
        "tasks": (404, {"title": "Not Found"}),
        "notifications": (200, {"state": "failed", "error": "It can't be read."}),
        "analytics": (503, {"title": "Statistics are away."}),
    }

    def part(name: str) -> Callable[[Route], None]:
        return lambda route: route.fulfill(
            status=answers[name][0], json={**copy, "kind": f"data-export.{name}", **answers[name][1]}
        )

    for status, name in (("404", "tasks"), ("503", "analytics")):
        watch.expect(f"status of {status}", f"{base}/{name}/")
    profile.route(f"**{base}", lambda route: route.fulfill(json={"items": [copy]}))
    for name in services:
        profile.route(f"**{base}/{name}/{EXPORT}", part(name))
    profile.route(f"**{base}/tasks/{EXPORT}/result", lambda route: route.fulfill(body=b"of tasks"))
    profile.reload()
    section = profile.get_by_role("region", name="Your data")
    rows = section.get_by_role("listitem")
    expect(rows).to_have_count(len(services))
    expect(rows.nth(0)).to_contain_text("Copy of your account, done")
    expect(rows.nth(1)).to_contain_text("Copy of your tasks, waiting")
    expect(rows.nth(2)).to_contain_text("Copy of your notifications, failed")
    expect(rows.nth(2)).to_contain_text("It can't be read.")
    expect(rows.nth(3)).to_contain_text("Statistics are away.")
    expect(section.get_by_role("button", name=re.compile("Cancel|Resume"))).to_have_count(0)

    answers |= {"tasks": (200, done), "analytics": (200, done)}
    expect(rows.nth(3)).to_contain_text("Copy of your statistics, done")
    expect(rows.nth(3)).not_to_contain_text("Statistics are away.")
    with profile.expect_download() as download:
        rows.nth(1).get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "my-data-tasks.zip"
    assert download.value.path().read_bytes() == b"of tasks"


def test_a_copy_from_before_the_services_moved_is_found_among_the_jobs(profile: Page) -> None:
    job = {
        "id": EXPORT,
        "kind": "data-export",
        "state": "succeeded",
        "done": 3,
        "total": 3,
        "refused": 0,
        "error": None,
    }
    job |= {"created_at": "2031-02-03T04:05:06Z", "result_url": f"{V1}/jobs/{EXPORT}/result"}
    profile.route(re.compile(rf"{V1}/jobs\?"), lambda route: route.fulfill(json={"items": [job], "next_cursor": None}))
    profile.reload()
    section = profile.get_by_role("region", name="Your data")
    expect(section.get_by_role("listitem")).to_contain_text("Copy of your data, done")


def test_an_account_is_deleted_by_its_password_after_a_question(
    profile: Page, watch: Watch, elsewhere: httpx.Client, email: str, password: str
) -> None:
    watch.expect("status of 422", f"{V1}/users/me")
    section = profile.get_by_role("region", name="Delete your account")
    typed, button = section.get_by_label("Your password"), section.get_by_role("button", name="Delete my account")
    button.click()
    expect(typed).to_have_accessible_description("Your password is missing.")
    typed.fill("not the password")
    button.click()
    profile.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    expect(typed).to_have_accessible_description("Is not your password.")
    typed.fill(password)
    button.click()
    profile.keyboard.press("Escape")
    expect(profile.get_by_role("dialog")).to_be_hidden()
    assert elsewhere.get("/users/me").status_code == 200

    button.click()
    profile.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    expect(profile.get_by_role("alert")).to_have_text("Your account is deleted.")
    assert elsewhere.get("/users/me").status_code == 401
    assert elsewhere.post("/auth/login", json={"email": email, "password": password}).status_code == 401


def test_a_deletion_is_carried_out_before_another_page_is_shown(page: Page) -> None:
    row(page, "Find the moth").get_by_role("button", name="Delete").click()
    page.get_by_role("link", name="Your profile").click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    page.get_by_role("link", name="PrimeTrade").click()
    expect(page.get_by_role("heading", name="Nothing to do yet")).to_be_visible()


def test_the_profile_fits_the_smallest_phone(profile: Page) -> None:
    profile.set_viewport_size(PHONE)
    expect_no_overflow(profile)


def test_a_failed_page_load_is_reported_and_can_be_retried(page: Page, watch: Watch) -> None:
    watch.expect("net::ERR_INTERNET_DISCONNECTED", "/")
    # versioned files are cached for ever: an earlier test may have loaded the page
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.context.set_offline(True)
    page.get_by_role("link", name="Your profile").click()
    expect(page.get_by_role("alert")).to_contain_text("The page could not be loaded.")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
