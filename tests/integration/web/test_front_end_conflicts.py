"""Edit conflicts of a task, in a real browser on the real server."""

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import Watch
from tests.e2e.browser_expiry import V1
from tests.e2e.browser_steps import is_request, row


@pytest.fixture
def dialog(page: Page) -> Locator:
    """The dialog of a task before a concurrent change."""
    row(page, "Find the moth").get_by_role("button", name="Edit").click()
    return page.get_by_role("dialog")


@pytest.fixture
def conflict(dialog: Locator, watch: Watch, elsewhere: httpx.Client) -> Locator:
    """The dialog after it has reported a concurrent change."""
    watch.expect("status of 412", f"{V1}/tasks/")
    change(elsewhere, title="Find the beetle", tags=["lab"])
    dialog.get_by_label("Description").fill("Tape it into the log.")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_have_text(
        "Somebody has changed the title and tags meanwhile. What you typed is not saved yet."
    )
    return dialog


def test_the_newer_task_is_loaded_and_the_input_can_be_restored(page: Page, conflict: Locator) -> None:
    conflict.get_by_role("button", name="Load the newer one").click()
    expect(conflict.get_by_label("Title")).to_have_value("Find the beetle")
    expect(conflict.get_by_label("Tags")).to_have_value("lab")
    expect(conflict.get_by_label("Description")).to_have_value("")
    conflict.get_by_role("button", name="Bring mine back").click()
    expect(conflict.get_by_label("Title")).to_have_value("Find the moth")
    expect(conflict.get_by_label("Description")).to_have_value("Tape it into the log.")
    conflict.get_by_role("button", name="Load the newer one").click()
    conflict.get_by_role("button", name="Go on with this").click()
    conflict.get_by_role("button", name="Save").click()
    expect(row(page, "Find the beetle")).to_contain_text("lab")


def test_keep_editing_overwrites_the_newer_task(page: Page, conflict: Locator, elsewhere: httpx.Client) -> None:
    assert tasks(elsewhere)[0]["title"] == "Find the beetle"
    conflict.get_by_role("button", name="Keep editing mine").click()
    expect(conflict.get_by_role("button", name="Save")).to_be_focused()
    conflict.get_by_role("button", name="Save").click()
    expect(conflict).to_be_hidden()
    expect(row(page, "Find the moth")).to_contain_text("Tape it into the log.")


def test_a_second_concurrent_change_asks_again(conflict: Locator, elsewhere: httpx.Client) -> None:
    conflict.get_by_role("button", name="Keep editing mine").click()
    change(elsewhere, status="done")
    conflict.get_by_role("button", name="Save").click()
    expect(conflict.get_by_role("alert")).to_contain_text("Somebody has changed the status meanwhile.")
    assert tasks(elsewhere)[0]["title"] == "Find the beetle"


def test_the_input_survives_a_concurrent_deletion_of_the_task(
    dialog: Locator, watch: Watch, elsewhere: httpx.Client
) -> None:
    watch.expect("status of 404", f"{V1}/tasks/")
    elsewhere.delete(f"/tasks/{tasks(elsewhere)[0]['id']}").raise_for_status()
    dialog.get_by_label("Description").fill("Tape it into the log.")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_have_text("There is no such task.")
    expect(dialog.get_by_label("Description")).to_have_value("Tape it into the log.")


def test_a_reminder_is_entered_in_local_time_and_stored_in_utc(page: Page, dialog: Locator) -> None:
    dialog.get_by_label("Due").fill("2031-01-31T09:30")
    dialog.get_by_role("button", name="An hour before").click()
    expect(dialog.get_by_label("Remind me")).to_have_value("2031-01-31T08:30")
    with page.expect_response(is_request("PATCH", "/tasks/")) as answer:
        dialog.get_by_role("button", name="Save").click()
    assert answer.value.json()["remind_at"].startswith("2031-01-31T03:00:00"), "08:30 in Kolkata is 03:00 UTC"
    expect(row(page, "Find the moth")).to_contain_text("Reminder Friday, 31 January 2031 at 08:30")

    row(page, "Find the moth").get_by_role("button", name="Edit").click()
    expect(dialog.get_by_label("Remind me")).to_have_value("2031-01-31T08:30")
    dialog.get_by_role("button", name="No reminder").click()
    with page.expect_response(is_request("PATCH", "/tasks/")) as answer:
        dialog.get_by_role("button", name="Save").click()
    assert answer.value.json()["remind_at"] is None


def tasks(client: httpx.Client) -> list[dict[str, str]]:
    items: list[dict[str, str]] = client.get("/tasks").raise_for_status().json()["items"]
    return items


def change(client: httpx.Client, **fields: object) -> None:
    client.patch(f"/tasks/{tasks(client)[0]['id']}", json=fields).raise_for_status()
