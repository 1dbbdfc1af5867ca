"""Smallest viewport that the front end supports."""

from playwright.sync_api import Page, ViewportSize, expect

PHONE: ViewportSize = {"width": 360, "height": 640}


def expect_no_overflow(page: Page) -> None:
    """Wait until a page has no horizontal overflow.

    Waits, because Chromium evaluates media queries a moment after it resizes the page; the state in between is never
    drawn.
    """
    for part in ("html", "body"):
        expect(page.locator(part)).to_have_js_property("scrollWidth", PHONE["width"])
