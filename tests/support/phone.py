"""The smallest phone that the front end has to fit."""

from playwright.sync_api import Page, ViewportSize, expect

PHONE: ViewportSize = {"width": 360, "height": 640}


def expect_no_overflow(page: Page) -> None:
    """Wait until nothing of a page reaches beyond the phone's edge.

    Chromium gives a page its new width first, and evaluates its media queries a moment later: what is wider in between
    is never drawn.
    """
    for part in ("html", "body"):
        expect(page.locator(part)).to_have_js_property("scrollWidth", PHONE["width"])
