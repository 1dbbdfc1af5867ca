"""Front end in a real browser, on the real server."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import run_flow, run_flow_in
from tests.e2e.browser_expiry import V1
from tests.e2e.browser_steps import is_request, row
from tests.support.phone import PHONE, expect_no_overflow
from tests.support.ports import wait_for
from tests.support.server import Server


def test_sign_up_work_on_tasks_and_log_out(running: Server, browser: Browser, tmp_path: Path) -> None:
    picture = tmp_path / "tasks.png"
    run_flow_in(browser, running.url, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_duplicated_tab_does_not_end_the_session_of_the_first(page: Page) -> None:
    with page.expect_popup() as opened:
        page.evaluate("open(location.href)")  # as duplicating does, this copies the sessionStorage
    twin = opened.value
    expect(row(twin, "Find the moth")).to_be_visible()
    for tab in (page, twin, page):
        tab.reload()
        expect(row(tab, "Find the moth")).to_be_visible()


def test_a_pending_deletion_is_sent_when_the_page_closes(page: Page) -> None:
    with page.expect_response(is_request("GET", "/tasks")) as listed:
        page.reload()
    url = f"{listed.value.url.split('?')[0]}/{listed.value.json()['items'][0]['id']}"
    headers = {"Authorization": listed.value.request.headers["authorization"]}
    row(page, "Find the moth").get_by_role("button", name="Delete").click()
    expect(row(page, "Find the moth")).to_have_count(0)
    assert page.context.request.get(url, headers=headers).status == 200
    page.goto("about:blank")
    wait_for(lambda: page.context.request.get(url, headers=headers).status == 404, "the task is deleted")


def test_a_deletion_is_undone_by_keyboard(page: Page) -> None:
    row(page, "Find the moth").get_by_role("button", name="Delete").click()
    expect(row(page, "Find the moth")).to_have_count(0)
    page.keyboard.press("u")
    expect(row(page, "Find the moth")).to_be_visible()


def test_nothing_is_wider_than_the_smallest_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.get_by_role("textbox", name="New task").fill("W" * 200)
    page.keyboard.press("Enter")
    expect(page.locator(".task")).to_have_count(2)
    page.get_by_label("Due", exact=True).select_option("range")
    expect_no_overflow(page)
    edges: list[float] = page.locator("main :is(input, select, button)").evaluate_all(
        "controls => controls.map((control) => control.getBoundingClientRect().right)"
    )
    assert max(edges) <= PHONE["width"] - 16, "a control extends into the margin of the page"
    row(page, "Find the moth").get_by_role("button", name="Edit").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect_no_overflow(page)


def test_an_ended_session_leads_to_the_log_in_page_with_the_reason(running: Server, page: Page) -> None:
    page.evaluate("sessionStorage.setItem('refresh_token', 'not a token')")
    with page.expect_response(f"**{V1}/auth/refresh") as refused:
        page.goto("about:blank")
        page.goto(running.url)
    assert refused.value.status == 401
    expect(page.get_by_role("alert")).to_have_text("Your session has ended. Please log in again.")


def test_without_chromium_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(pytest.fail.Exception, match=r"^Chromium is missing: .*apt-get install chromium") as failure:
        run_flow("http://127.0.0.1:9", None)
    assert "\n" not in str(failure.value)
