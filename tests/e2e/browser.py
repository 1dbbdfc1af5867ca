"""A user's journey through the front end, in headless Chromium.

The same steps run against any address: the end-to-end tests give the gateway's, the integration tests a server's.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, sync_playwright

from tests.e2e import browser_steps

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TIMEOUT_MS = 30_000
ZONE = "Asia/Kolkata"
"""Half an hour off the full hour: mistakes in local times show."""

REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error(`content security policy: ${violatedDirective} refused ${blockedURI}`))
"""


class Watch:
    """Collects what goes wrong in a page, except the refusals that a step provokes."""

    def __init__(self, page: Page) -> None:
        self._wrong: list[str] = []
        self._expected: list[tuple[str, str]] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._wrong.append(f"uncaught: {error}"))

    def expect(self, reason: str, path: str) -> None:
        """Let Chromium log, any number of times, that a request for `path` failed.

        Args:
            reason: part of what Chromium logs, such as "status of 401" or "net::ERR_INTERNET_DISCONNECTED".
            path: the path of the request, or the beginning of it.
        """
        self._expected.append((reason, path))

    def assert_clean(self) -> None:
        """Fail if anything unexpected was logged, content security policy violations included."""
        assert not self._wrong, "the browser's console is not clean:\n  " + "\n  ".join(self._wrong)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        path = urlsplit(message.location["url"]).path
        if message.text.startswith("Failed to load resource") and any(
            reason in message.text and path.startswith(start) for reason, start in self._expected
        ):
            return
        self._wrong.append(f"{message.type} at {path}: {message.text}")


def run_flow(base_url: str, screenshot: Path | None, ignore_https_errors: bool = False) -> None:
    """Go through everything a person does: sign up, log in, work on tasks, log out.

    Args:
        base_url: the address of the task manager, without a path.
        screenshot: where to keep a picture of the page of tasks (PNG), if anywhere.
        ignore_https_errors: accept a certificate that no authority has signed.

    Raises:
        AssertionError: a step does not end as it should, or the browser's console is not clean.
    """
    with chromium() as browser:
        run_flow_in(browser, base_url, screenshot, ignore_https_errors)


def run_flow_in(browser: Browser, base_url: str, screenshot: Path | None, ignore_https_errors: bool = False) -> None:
    """Do what `run_flow` does, in a browser that runs already."""
    with profile_of(browser, ignore_https_errors=ignore_https_errors) as profile:
        page = profile.new_page()
        watch = Watch(page)
        try:
            browser_steps.walk(page, watch.expect, base_url.rstrip("/"), screenshot)
        except Error as error:
            watch.assert_clean()  # what the console says is most often the cause
            raise AssertionError(f"{error.message}\n\nThe page said:\n{_words(page)}") from error
        watch.assert_clean()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's Chromium; it ends with the block."""
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.fail("Chromium is missing: install it, on Debian by `apt-get install chromium`", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def profile_of(browser: Browser, *, ignore_https_errors: bool = False) -> Iterator[BrowserContext]:
    """Make a profile with a size and a time zone; its pages end with it."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800},
        device_scale_factor=2,
        locale="en-GB",
        timezone_id=ZONE,
        color_scheme="light",
        reduced_motion="reduce",
        ignore_https_errors=ignore_https_errors,
    )
    context.set_default_timeout(TIMEOUT_MS)
    context.add_init_script(REPORT_VIOLATIONS)
    try:
        yield context
    finally:
        context.close()


def _words(page: Page) -> str:
    try:
        return page.locator("body").inner_text(timeout=1_000)
    except Error as error:
        return f"(it can't be read: {error.message})"
