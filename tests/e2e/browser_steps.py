"""The steps of the browser test, in the order in which a user takes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser_expiry import V1, Expiry

NAME = "Ada Lovelace"
FILLERS = 21
"""One page holds 20 tasks: with these there is a second one."""

REFUSED_TOGETHER = 3
"""Requests that are under way when the access token ends."""

MARKUP = "<img src=x onerror=alert(1)> & <b>friends</b>"

Expect = Callable[[str, str], None]
"""`Watch.expect`: a failure that the step is about."""


def walk(page: Page, expect_failure: Expect, base_url: str, screenshot: Path | None) -> None:
    """Take every step, each on what the one before has left."""
    expect.set_options(timeout=30_000)
    email, password = f"ada.{uuid4().hex[:12]}@example.org", uuid4().hex
    page.goto(base_url)
    sign_up(page, expect_failure, email, password)
    log_in(page, expect_failure, email, password)
    write_tasks(page)
    set_states(page)
    if screenshot:
        page.mouse.move(0, 0)
        page.screenshot(path=screenshot)
    find_tasks(page)
    edit_and_delete(page, expect_failure)
    load_more(page, base_url, email, password)
    renew_silently(page, expect_failure)
    survive_an_outage(page, expect_failure)
    log_out(page, base_url)


def sign_up(page: Page, expect_failure: Expect, email: str, password: str) -> None:
    """Wrong fields are named beside them; a good form leads to the page of tasks; an address is taken once."""
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("E-mail").fill(email)
    password_field(page).fill("short")
    page.get_by_role("button", name="Sign up").click()
    expect(password_field(page)).to_have_accessible_description("A password has at least 8 characters.")
    password_field(page).fill(password)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name=re.compile("Good .*, Ada"))).to_be_visible()
    expect(page.locator(".profile")).to_contain_text(NAME)
    expect(page.get_by_role("heading", name="Nothing to do yet")).to_be_visible()

    page.get_by_role("button", name="Log out").click()
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("E-mail").fill(email)
    password_field(page).fill(password)
    expect_failure("status of 409", f"{V1}/auth/register")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="Log in").click()


def log_in(page: Page, expect_failure: Expect, email: str, password: str) -> None:
    """A wrong password is refused in words, the right one opens the page of tasks."""
    # The form of sign-up, which the page has just left, has fields of the same names.
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    page.get_by_label("E-mail").fill(email)
    password_field(page).fill(f"not {password}")
    expect_failure("status of 401", f"{V1}/auth/login")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    password_field(page).fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".profile")).to_contain_text(email)


def write_tasks(page: Page) -> None:
    """By keyboard in one line, and with details; times are local."""
    expect(page.get_by_role("heading", name="Nothing to do yet")).to_be_visible()
    page.keyboard.press("n")
    for title in ("Water the plants", "Call the bank", "Order coffee for the office", "Prepare the release notes"):
        page.keyboard.type(title)
        page.keyboard.press("Enter")
        expect(row(page, title)).to_be_visible()

    with_details(page, "Book the train to Mumbai", "Window seat, morning train.", due="Tomorrow")
    page.get_by_role("textbox", name="New task").fill("Renew the certificate")
    page.get_by_role("button", name="Add with details").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Title")).to_have_value("Renew the certificate")
    dialog.get_by_label("Due").fill("2031-01-31T09:30")
    with page.expect_response(is_request("POST", "/tasks")) as answer:
        dialog.get_by_role("button", name="Add task").click()
    expect(dialog).to_be_hidden()
    due: str = answer.value.json()["due_at"]
    assert due.startswith("2031-01-31T04:00:00"), f"09:30 in Kolkata is 04:00 UTC, not {due}"
    expect(row(page, "Renew the certificate").locator("time")).to_have_text("31 Jan 2031")


def set_states(page: Page) -> None:
    """The circle completes a task, the label beside it sets any state."""
    with page.expect_response(is_request("PATCH", "/tasks/")) as answer:
        row(page, "Water the plants").get_by_role("button", name="Done: Water the plants").click()
    assert answer.value.json()["status"] == "done"
    expect(row(page, "Water the plants").get_by_role("combobox")).to_have_value("done")
    with page.expect_response(is_request("PATCH", "/tasks/")) as answer:
        row(page, "Prepare the release notes").get_by_role("combobox").select_option("in_progress")
    assert answer.value.json()["status"] == "in_progress"
    expect(page.locator(".board")).to_have_attribute("aria-busy", "false")


def find_tasks(page: Page) -> None:
    """Filters by state, text and due date, and orders; the address keeps them."""
    choose_status(page, "Done")
    expect_titles(page, ["Water the plants"])
    choose_status(page, "All")

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "q=" in request.url else None)
    page.keyboard.press("/")
    page.keyboard.type("COFFEE")
    expect_titles(page, ["Order coffee for the office"])
    assert len(asked) < len("COFFEE"), f"every letter was a request: {asked}"
    assert "q=COFFEE" in page.url
    page.keyboard.press("Escape")
    expect(row(page, "Water the plants")).to_be_visible()

    page.get_by_label("Search", exact=True).fill("there is no such thing")
    expect(page.get_by_role("heading", name="No task matches")).to_be_visible()
    page.get_by_role("button", name="Show all tasks").click()

    page.get_by_label("Due", exact=True).select_option("range")
    page.get_by_label("From").fill("2031-01-31")
    page.get_by_label("Until").fill("2031-01-31")
    expect_titles(page, ["Renew the certificate"])
    page.get_by_label("Until").fill("2031-01-30")
    expect(page.get_by_label("Until")).to_have_accessible_description("This is before the first day.")
    page.get_by_label("Due", exact=True).select_option("")

    page.get_by_label("Order", exact=True).select_option("title")
    expect(page.locator(".task-title").first).to_have_text("Book the train to Mumbai")
    expect(page.locator(".task-title").last).to_have_text("Water the plants")
    page.get_by_label("Order", exact=True).select_option("-created_at")
    expect(page.locator(".task-title").first).to_have_text("Renew the certificate")


def edit_and_delete(page: Page, expect_failure: Expect) -> None:
    """What is changed shows, markup in it as text; a blank title is refused; a deletion can be taken back, once."""
    row(page, "Call the bank").get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("  ")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_label("Title")).to_have_accessible_description("A task needs a title.")
    dialog.get_by_label("Title").fill(MARKUP)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(row(page, MARKUP)).to_be_visible()
    expect(page.locator(".tasks img")).to_have_count(0)
    expect(row(page, "Call the bank")).to_have_count(0)

    row(page, MARKUP).get_by_role("button", name="Delete").click()
    expect(row(page, MARKUP)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row(page, MARKUP)).to_be_visible()

    row(page, MARKUP).get_by_role("button", name="Delete").click()
    with page.expect_response(is_request("DELETE", "/tasks/")) as answer:
        page.get_by_role("button", name="Dismiss").click()
    assert answer.value.status == 204
    expect_failure("status of 404", f"{V1}/tasks/")
    gone = page.evaluate(
        "([url, authorization]) => fetch(url, {headers: {authorization}}).then(({status}) => status)",
        [answer.value.url, answer.value.request.headers["authorization"]],
    )
    assert gone == 404, f"the deleted task still answers {gone}"


def load_more(page: Page, base_url: str, email: str, password: str) -> None:
    """A second page is appended to the first, without gap or repetition."""
    api = page.context.request
    tokens = api.post(f"{base_url}{V1}/auth/login", data={"email": email, "password": password}).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    for number in range(FILLERS):
        made = api.post(f"{base_url}{V1}/tasks", data={"title": f"Chapter {number:02}"}, headers=headers)
        assert made.ok, made.text()
    page.get_by_label("Search", exact=True).fill("chapter")
    expect(page.locator(".task-title")).to_have_count(20)
    page.get_by_role("button", name="Load more").click()
    expect_titles(page, [f"Chapter {number:02}" for number in reversed(range(FILLERS))])
    expect(page.get_by_role("button", name="Load more")).to_be_hidden()


def renew_silently(page: Page, expect_failure: Expect) -> None:
    """Requests that are refused together share one renewal; a reload stays logged in, with the same filters."""
    expect_failure("status of 401", f"{V1}/tasks/")
    expiry = Expiry(page, REFUSED_TOGETHER)
    for number in range(REFUSED_TOGETHER):
        row(page, f"Chapter {number:02}").get_by_role("button", name=re.compile("^Done")).click()
    renewals = expiry.renewals()
    assert renewals == 1, f"one renewal was due, not {renewals}"

    page.reload()
    expect(page.locator(".profile")).to_contain_text(NAME)
    expect(page.get_by_label("Search", exact=True)).to_have_value("chapter")
    choose_status(page, "Done")
    expect_titles(page, ["Chapter 02", "Chapter 01", "Chapter 00"])


def survive_an_outage(page: Page, expect_failure: Expect) -> None:
    """Without a connection the page says so, and goes on when it is back."""
    expect_failure("net::ERR_INTERNET_DISCONNECTED", "/")
    page.context.set_offline(True)
    choose_status(page, "All")
    expect(page.get_by_role("heading", name="The tasks could not be loaded")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(row(page, "Chapter 20")).to_be_visible()


def log_out(page: Page, base_url: str) -> None:
    """Nothing is left of the session: not in the tab, not by going back, not on the server."""
    with page.expect_request(is_request("POST", "/auth/logout")) as asked:
        page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0
    page.go_back()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    headers = {"Authorization": asked.value.headers["authorization"]}
    assert page.context.request.get(f"{base_url}{V1}/users/me", headers=headers).status == 401


def password_field(page: Page) -> Locator:
    return page.get_by_label("Password", exact=True)


def row(page: Page, title: str) -> Locator:
    return page.locator(".task").filter(has=page.get_by_text(title, exact=True))


def with_details(page: Page, title: str, description: str, due: str) -> None:
    page.get_by_role("button", name="Add with details").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill(title)
    dialog.get_by_label("Description").fill(description)
    dialog.get_by_role("button", name=due).click()
    dialog.get_by_role("button", name="Add task").click()
    expect(dialog).to_be_hidden()
    expect(row(page, title).locator("time")).to_contain_text(due)


def choose_status(page: Page, label: str) -> None:
    page.get_by_role("search").get_by_role("radio", name=label, exact=True).check()


def expect_titles(page: Page, titles: list[str]) -> None:
    expect(page.locator(".task-title")).to_have_text(titles)


def is_request(method: str, path: str) -> Callable[[Any], bool]:
    """Match a request, or the response to one, by its method and a part of its path."""

    def matches(exchange: Any) -> bool:
        request = getattr(exchange, "request", exchange)
        return bool(request.method == method and f"{V1}{path}" in request.url)

    return matches
