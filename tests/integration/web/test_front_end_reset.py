"""Password reset pages, in a real browser on the real server with a mail server."""

import re

import httpx
from playwright.sync_api import Page, expect

from tests.e2e.browser import Watch
from tests.e2e.browser_expiry import V1
from tests.support.phone import PHONE, expect_no_overflow
from tests.support.ports import wait_for
from tests.support.server import Server
from tests.support.smtp import PUBLIC_URL, Inbox

NEW = "another good password"


def test_a_forgotten_password_is_replaced(
    watched: tuple[Page, Watch], mailing_server: Server, mailbox: Inbox, email: str, password: str
) -> None:
    page, watch = watched
    account = {"email": email, "password": password, "name": "Grace Hopper"}
    httpx.post(f"{mailing_server.url}{V1}/auth/register", json=account).raise_for_status()

    page.goto(f"{mailing_server.url}/#/login")
    page.get_by_role("link", name="Forgot password?").click()
    expect(page.get_by_role("heading", name="Forgot your password?")).to_be_visible()
    page.get_by_label("E-mail").fill("grace@")
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_label("E-mail")).to_have_accessible_description("This is no complete e-mail address.")
    page.get_by_label("E-mail").fill(email)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").get_by_text("Look into your mail")).to_be_visible()

    def links() -> list[str]:
        texts = [mail.get_content() for mail in mailbox.mails if mail["To"] == email]
        return re.findall(rf"{re.escape(PUBLIC_URL)}(/#/reset\S+)", "\n".join(texts))

    wait_for(lambda: len(links()) == 1, "the mail arrives")
    [link] = links()
    page.goto("about:blank")
    page.goto(mailing_server.url + link)
    expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
    assert "token" not in page.url, "the token stays in the URL"
    field = page.get_by_label("Password", exact=True)
    expect(field).to_be_focused()
    field.fill("short")
    page.keyboard.press("Enter")
    expect(field).to_have_accessible_description("A password has at least 8 characters.")
    field.fill(NEW)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your password is changed. Log in with it.")).to_be_visible()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(NEW)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Nothing to do yet")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()

    watch.expect("status of 422", f"{V1}/auth/password-reset/confirm")
    page.goto("about:blank")
    page.goto(mailing_server.url + link)
    page.get_by_label("Password", exact=True).fill(NEW)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The link is not good any more: ask for a new link.")


def test_a_truncated_link_is_reported(watched: tuple[Page, Watch], running: Server) -> None:
    page, _ = watched
    page.set_viewport_size(PHONE)
    page.goto(f"{running.url}/#/reset")
    expect(page.get_by_role("status").get_by_text("The link is not complete")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    page.get_by_role("link", name="Ask for one").click()
    expect(page.get_by_role("heading", name="Forgot your password?")).to_be_visible()
    expect_no_overflow(page)
