"""Registration and e-mail verification, in a real browser on a server that sends mails."""

import re

import httpx
from playwright.sync_api import Page, expect

from tests.e2e.browser import Watch
from tests.e2e.browser_expiry import V1
from tests.support.phone import PHONE, expect_no_overflow
from tests.support.ports import wait_for
from tests.support.server import Server
from tests.support.smtp import PUBLIC_URL, Inbox

BANNER = "Your e-mail address is not verified"


def sign_up(page: Page, server: Server, email: str, password: str) -> None:
    page.goto(f"{server.url}/#/register")
    page.get_by_label("Name").fill("Grace Hopper")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign up").click()


def links(mailbox: Inbox, email: str) -> list[str]:
    """Return the verification links in the mails to an address, from the path on."""
    texts = [mail.get_content() for mail in mailbox.mails if mail["To"] == email]
    return [link for text in texts for link in re.findall(rf"{re.escape(PUBLIC_URL)}(/#/verify\S+)", text)]


def test_a_new_user_is_asked_to_verify_and_verifies_the_address(
    watched: tuple[Page, Watch], mailing_server: Server, mailbox: Inbox, email: str, password: str
) -> None:
    page, _ = watched
    page.set_viewport_size(PHONE)
    sign_up(page, mailing_server, email, password)
    expect(page.get_by_role("heading", name="Nothing to do yet")).to_be_visible()
    expect(page.get_by_text(BANNER)).to_be_visible()
    expect_no_overflow(page)
    page.get_by_role("link", name="Verify it").click()
    expect(page.get_by_text(f"No reminders or reports go to {email}")).to_be_visible()
    expect_no_overflow(page)
    wait_for(lambda: len(links(mailbox, email)) == 1, "the mail arrives")
    page.get_by_role("button", name="Send the link again").click()
    expect(page.get_by_text("A link is on its way")).to_be_visible()
    wait_for(lambda: len(links(mailbox, email)) == 2, "another mail arrives")

    page.goto(mailing_server.url + links(mailbox, email)[1])
    expect(page.get_by_role("heading", name="Verify your e-mail address")).to_be_visible()
    assert "token" not in page.url, "the token stays in the URL"
    expect_no_overflow(page)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your e-mail address is verified.")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing to do yet")).to_be_visible()
    expect(page.get_by_text(BANNER)).to_be_hidden()
    page.get_by_role("link", name=re.compile("Your profile")).click()
    expect(page.get_by_role("heading", name="Mails")).to_be_visible()
    expect(page.get_by_role("button", name="Send the link again")).to_be_hidden()


def test_a_link_opened_in_another_tab_verifies_without_log_in_and_updates_the_first_tab(
    watched: tuple[Page, Watch], mailing_server: Server, mailbox: Inbox, email: str, password: str
) -> None:
    page, _ = watched
    sign_up(page, mailing_server, email, password)
    expect(page.get_by_text(BANNER)).to_be_visible()
    wait_for(lambda: len(links(mailbox, email)) == 1, "the mail arrives")
    other = page.context.new_page()
    other.goto(mailing_server.url + links(mailbox, email)[0])
    other.get_by_role("button", name="Verify address").click()
    expect(other.get_by_text("Your e-mail address is verified. Log in to go on.")).to_be_visible()
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_text(BANNER)).to_be_hidden()


def test_an_invalid_link_is_reported(watched: tuple[Page, Watch], mailing_server: Server) -> None:
    page, watch = watched
    watch.expect("status of 422", f"{V1}/auth/verification/confirm")
    page.goto(f"{mailing_server.url}/#/verify?token=nonsense")
    page.get_by_role("button", name="Verify address").click()
    expect(page.get_by_role("alert")).to_have_text("The link is not good any more: ask for a new link.")
    page.goto("about:blank")
    page.goto(f"{mailing_server.url}/#/verify")
    expect(page.get_by_role("status").get_by_text("The link is not complete")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


def test_a_registration_with_a_known_address_points_to_the_mail(
    watched: tuple[Page, Watch], mailing_server: Server, mailbox: Inbox, email: str, password: str
) -> None:
    page, watch = watched
    account = {"email": email, "password": "correct horse battery", "name": "Grace Hopper"}
    httpx.post(f"{mailing_server.url}{V1}/auth/register", json=account).raise_for_status()
    watch.expect("status of 401", f"{V1}/auth/login")
    sign_up(page, mailing_server, email, password)
    words = "Check your mail: a message to this address says how to log in."
    expect(page.get_by_role("alert")).to_have_text(words)

    def mailed() -> bool:
        return "You have an account already" in [mail["Subject"] for mail in mailbox.mails if mail["To"] == email]

    wait_for(mailed, "the mail arrives")


def test_without_mail_the_page_does_not_ask_to_verify(page: Page) -> None:
    expect(page.get_by_text(BANNER)).to_be_hidden()
    page.get_by_role("link", name=re.compile("Your profile")).click()
    expect(page.get_by_role("heading", name="Mails")).to_be_visible()
    expect(page.get_by_role("button", name="Send the link again")).to_be_hidden()
