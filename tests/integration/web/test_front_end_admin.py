"""Administration pages, in a real browser on the real server."""

import re
import subprocess
import sys
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import Watch
from tests.e2e.browser_expiry import V1
from tests.support.phone import PHONE, expect_no_overflow
from tests.support.server import ROOT, Server


@pytest.fixture
def admin(running: Server, page: Page, email: str, password: str) -> Page:
    """The users page of an administrator."""
    command = [sys.executable, "-m", "app", "grant-admin", email]
    subprocess.run(command, cwd=ROOT, env=running.environment, check=True, capture_output=True)
    page.reload()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Users").click()
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    return page


@pytest.fixture
def other(running: Server) -> str:
    """E-mail address of another user with the same password."""
    address = f"{uuid4().hex}@example.org"
    body = {"email": address, "password": address, "name": "Somebody Else"}
    httpx.post(f"{running.url}{V1}/auth/register", json=body).raise_for_status()
    return address


def test_an_account_is_found_locked_unlocked_and_given_a_role(
    admin: Page, running: Server, other: str, email: str
) -> None:
    found = find(admin, other)
    found.get_by_role("button", name="Lock").click()
    admin.get_by_role("dialog").get_by_role("button", name="Lock").click()
    expect(found.get_by_text("Locked", exact=True)).to_be_visible()
    assert log_in(running, other) == 401
    found.get_by_role("button", name="Unlock").click()
    expect(found.get_by_text("Locked", exact=True)).to_be_hidden()
    assert log_in(running, other) == 200

    found.get_by_role("combobox").select_option("admin")
    expect(admin.get_by_role("status").get_by_text("is an administrator now")).to_be_visible()
    admin.reload()
    expect(found.get_by_role("combobox")).to_have_value("admin")
    expect(find(admin, email).get_by_role("combobox")).to_have_count(0)


def test_the_sessions_of_an_account_are_ended(admin: Page, running: Server, other: str) -> None:
    pair = httpx.post(f"{running.url}{V1}/auth/login", json={"email": other, "password": other}).json()
    find(admin, other).get_by_role("button", name="End sessions").click()
    expect(admin.get_by_role("status").get_by_text("have ended")).to_be_visible()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert httpx.get(f"{running.url}{V1}/users/me", headers=headers).status_code == 401


def test_an_account_is_deleted_after_a_question(admin: Page, running: Server, other: str, email: str) -> None:
    found = find(admin, other)
    found.get_by_role("button", name="Delete").click()
    admin.keyboard.press("Escape")
    assert log_in(running, other) == 200
    found.get_by_role("button", name="Delete").click()
    admin.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    expect(admin.get_by_role("status").get_by_text("is deleted")).to_be_visible()
    expect(found).to_have_count(0)
    assert log_in(running, other) == 401
    expect(find(admin, email).get_by_role("button", name="Delete")).to_have_count(0)


def test_the_audit_log_is_filtered_and_exported(admin: Page, other: str) -> None:
    found = find(admin, other)
    found.get_by_role("combobox").select_option("admin")
    expect(admin.get_by_role("status").get_by_text("is an administrator now")).to_be_visible()
    admin.get_by_role("link", name="Audit log", exact=True).click()
    expect(entry(admin, "from user, to admin")).not_to_have_count(0)
    admin.get_by_label("Action").select_option("user.disable")
    expect(entry(admin, "from user, to admin")).to_have_count(0)
    admin.get_by_label("Id of the administrator").fill("not an id")
    admin.keyboard.press("Enter")
    expect(admin.get_by_label("Id of the administrator")).to_have_accessible_description("This is no complete id.")
    admin.get_by_label("Id of the administrator").fill("")
    admin.get_by_label("Action").select_option("")
    expect(admin).to_have_url(re.compile("#/audit$"))

    with admin.expect_download() as download:
        admin.get_by_role("button", name="Export as CSV").click()
    assert download.value.suggested_filename == "audit.csv"
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "id,at,actor_id,action,subject_id,remote,details"
    assert any(",user.role," in line for line in lines)
    expect(entry(admin, "Log exported").first).to_be_visible()


def test_only_administrators_see_links_to_their_pages(page: Page) -> None:
    expect(page.get_by_role("link", name="Users")).to_have_count(0)
    page.evaluate("location.hash = '#/users'")
    expect(page).to_have_url(re.compile("#/tasks$"))
    expect(page.get_by_role("textbox", name="New task")).to_be_visible()


def test_a_rejected_change_is_reported_and_reverted(admin: Page, watch: Watch, other: str) -> None:
    watch.expect("status of 503", f"{V1}/admin/users/")
    detail = "Please try again soon."
    admin.route(f"**{V1}/admin/users/*", lambda route: route.fulfill(status=503, json={"title": "x", "detail": detail}))
    found = find(admin, other)
    found.get_by_role("combobox").select_option("admin")
    expect(admin.get_by_role("alert")).to_contain_text(detail)
    expect(found.get_by_role("combobox")).to_have_value("user")


def test_the_pages_fit_the_smallest_phone(admin: Page, other: str) -> None:
    admin.set_viewport_size(PHONE)
    expect(find(admin, other)).to_be_visible()
    expect_no_overflow(admin)
    admin.get_by_role("link", name="Audit log", exact=True).click()
    expect(entry(admin, "Role changed").first).to_be_visible()
    expect_no_overflow(admin)


def find(page: Page, email: str) -> Locator:
    page.get_by_label("Part of the e-mail address").fill(email)
    expect(page.locator(".entry")).to_have_count(1)
    return page.locator(".entry").filter(has_text=email)


def entry(page: Page, text: str) -> Locator:
    return page.locator(".entry").filter(has_text=text)


def log_in(running: Server, email: str) -> int:
    return httpx.post(f"{running.url}{V1}/auth/login", json={"email": email, "password": email}).status_code
