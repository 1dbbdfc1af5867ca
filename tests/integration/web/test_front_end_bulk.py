"""Tags and bulk changes, in a real browser on the real server."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser_steps import expect_titles, row
from tests.support.phone import PHONE, expect_no_overflow


@pytest.fixture
def three(page: Page) -> Page:
    """The tasks page with three tasks: moth, bug, fly; the fly is first."""
    for title in ("Swat the bug", "Shoo the fly"):
        page.get_by_role("textbox", name="New task").fill(title)
        page.keyboard.press("Enter")
        expect(row(page, title)).to_be_visible()
    return page


def test_tags_are_edited_shown_and_filtered_by(three: Page) -> None:
    row(three, "Find the moth").get_by_role("button", name="Edit").click()
    dialog = three.get_by_role("dialog")
    dialog.get_by_label("Tags").fill("x" * 51)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_label("Tags")).to_have_accessible_description("A tag has at most 50 characters.")
    dialog.get_by_label("Tags").fill("Relay, Mark II ,")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    row(three, "Find the moth").get_by_role("button", name="mark ii").click()
    expect_titles(three, ["Find the moth"])
    expect(three).to_have_url(re.compile("tag=mark"))

    three.reload()
    expect(three.get_by_label("Tag", exact=True)).to_have_value("mark ii")
    expect_titles(three, ["Find the moth"])
    three.get_by_label("Tag", exact=True).select_option("Any tag")
    expect_titles(three, ["Shoo the fly", "Swat the bug", "Find the moth"])
    expect(three.get_by_label("Tag", exact=True).locator("option")).to_have_text(["Any tag", "mark ii", "relay"])


def test_selected_tasks_change_together_and_no_others(three: Page) -> None:
    pick(three, "Find the moth", "Swat the bug")
    expect(bulk(three)).to_contain_text("2 tasks selected")
    bulk(three).get_by_label("New status").select_option("done")
    apply(three, "2 tasks changed.")
    for title, status in (("Find the moth", "done"), ("Swat the bug", "done"), ("Shoo the fly", "todo")):
        expect(row(three, title).get_by_role("combobox")).to_have_value(status)
    expect(bulk(three)).to_be_hidden()

    pick(three, "Find the moth", "Shoo the fly")
    choose(three, "Add tags")
    bulk(three).get_by_role("button", name="Apply").click()
    tags = bulk(three).get_by_label("Tags, separated by commas")
    expect(tags).to_have_accessible_description("Which tags?")
    tags.fill("relay")
    apply(three, "2 tasks changed.")
    expect(three.locator(".tags .chip")).to_have_count(2)
    pick(three, "Shoo the fly")
    choose(three, "Remove tags")
    tags.fill("relay")
    apply(three, "1 task changed.")
    expect(three.locator(".tags .chip")).to_have_count(1)

    pick(three, "Swat the bug")
    choose(three, "Set due date")
    bulk(three).get_by_label("New due date").fill("2031-02-03T10:30")
    apply(three, "1 task changed.")
    expect(row(three, "Swat the bug").locator("time")).to_contain_text("3 Feb 2031")


def test_selected_tasks_are_deleted_together_after_a_question(three: Page) -> None:
    pick(three, "Find the moth")
    bulk(three).get_by_role("button", name="Select all shown").click()
    expect(bulk(three)).to_contain_text("3 tasks selected")
    choose(three, "Delete")
    bulk(three).get_by_role("button", name="Apply").click()
    three.keyboard.press("Escape")
    expect(three.get_by_role("dialog")).to_be_hidden()
    expect_titles(three, ["Shoo the fly", "Swat the bug", "Find the moth"])
    bulk(three).get_by_role("button", name="Apply").click()
    three.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(three.get_by_role("heading", name="Nothing to do yet")).to_be_visible()


def test_the_keyboard_selects_and_escape_selects_none(three: Page) -> None:
    box(three, "Swat the bug").focus()
    three.keyboard.press("Space")
    expect(bulk(three)).to_contain_text("1 task selected")
    three.keyboard.press("Escape")
    expect(bulk(three)).to_be_hidden()
    expect(box(three, "Swat the bug")).not_to_be_checked()
    box(three, "Swat the bug").focus()
    three.keyboard.press("/")
    expect(three.get_by_label("Search", exact=True)).to_be_focused()


def test_a_task_that_is_no_longer_shown_is_no_longer_selected(three: Page) -> None:
    pick(three, "Find the moth", "Swat the bug")
    three.get_by_label("Search", exact=True).fill("moth")
    expect_titles(three, ["Find the moth"])
    expect(bulk(three)).to_contain_text("1 task selected")


def test_the_selection_fits_the_smallest_phone(three: Page) -> None:
    three.set_viewport_size(PHONE)
    pick(three, "Find the moth")
    for action in ("Set due date", "Add tags"):
        choose(three, action)
        expect_no_overflow(three)


def box(page: Page, title: str) -> Locator:
    return page.get_by_role("checkbox", name=f"Select {title}")


def pick(page: Page, *titles: str) -> None:
    for title in titles:
        box(page, title).check()


def bulk(page: Page) -> Locator:
    return page.locator("form.bulk")


def choose(page: Page, action: str) -> None:
    bulk(page).get_by_label("What to do").select_option(action)


def apply(page: Page, outcome: str) -> None:
    bulk(page).get_by_role("button", name="Apply").click()
    toast = page.get_by_role("status").filter(has_text=outcome).first
    expect(toast).to_be_visible()
    toast.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".board")).to_have_attribute("aria-busy", "false")
