"""Attachments of a task, in a real browser on the real server."""

import re

import httpx
import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.e2e.browser import Watch
from tests.e2e.browser_expiry import V1
from tests.e2e.browser_steps import is_request, row

MEBIBYTE = 1 << 20


@pytest.fixture
def dialog(page: Page) -> Locator:
    """The dialog of a task without files."""
    row(page, "Find the moth").get_by_role("button", name="Edit").click()
    expect(page.get_by_role("dialog").get_by_text("Loading…")).to_be_hidden()
    return page.get_by_role("dialog")


def test_a_file_is_attached_downloaded_by_its_address_and_deleted(page: Page, dialog: Locator) -> None:
    attach(dialog, file("Log of the day, № 9.txt", b"1545 relay 70 panel F"))
    expect(dialog.get_by_role("list", name="Files").get_by_role("listitem")).to_contain_text("21 bytes")
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Log of the day, № 9.txt").click()
    assert download.value.suggested_filename == "Log of the day, № 9.txt"
    assert download.value.path().read_bytes() == b"1545 relay 70 panel F"
    expect(row(page, "Find the moth")).to_contain_text("1 file")

    dialog.get_by_role("button", name="Delete Log of the day, № 9.txt").click()
    question = page.get_by_role("dialog", name="Delete “Log of the day, № 9.txt”?")
    question.get_by_role("button", name="Cancel").click()
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    dialog.get_by_role("button", name="Delete Log of the day, № 9.txt").click()
    with page.expect_response(is_request("DELETE", "/tasks/")) as answer:
        question.get_by_role("button", name="Delete").click()
    assert answer.value.status == 204
    expect(dialog.get_by_role("listitem")).to_have_count(0)
    expect(dialog.get_by_label("Attach files")).to_be_focused()
    expect(row(page, "Find the moth")).not_to_contain_text("file", use_inner_text=True)


@pytest.mark.usefixtures("slow_uploads")
def test_an_upload_shows_progress_and_can_be_stopped(dialog: Locator) -> None:
    attach(dialog, file("moth.bin", bytes(2 * MEBIBYTE)))
    bar = dialog.get_by_role("progressbar", name="Uploading moth.bin")
    expect(dialog.get_by_text(re.compile(r"^[1-9]\d?%$"))).to_be_visible()
    assert 0 < bar.evaluate("bar => bar.value") < 1
    dialog.get_by_role("button", name="Stop uploading moth.bin").click()
    expect(bar).to_be_hidden()
    expect(dialog.get_by_role("listitem")).to_have_count(0)
    expect(dialog.get_by_label("Attach files")).to_be_focused()


@pytest.mark.usefixtures("slow_uploads")
def test_an_upload_outlives_the_dialog_and_reports_its_end(page: Page, dialog: Locator) -> None:
    attach(dialog, file("moth.bin", bytes(MEBIBYTE // 2)))
    expect(dialog.get_by_role("progressbar")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("status").get_by_text("“moth.bin” is attached to “Find the moth”.")).to_be_visible()
    expect(row(page, "Find the moth")).to_contain_text("1 file")


def test_an_expired_access_token_is_renewed_before_an_upload(page: Page, dialog: Locator, watch: Watch) -> None:
    watch.expect("status of 401", f"{V1}/users/me")
    statuses: list[int] = []
    is_upload = is_request("POST", "/tasks/")
    page.on("response", lambda answer: statuses.append(answer.status) if is_upload(answer) else None)
    page.route(f"**{V1}/users/me", with_spoiled_token, times=1)
    attach(dialog, file("moth.bin", bytes(9 * MEBIBYTE)))
    expect(dialog.get_by_role("listitem")).to_contain_text("9 MB")
    assert statuses == [201]


def test_a_file_too_large_or_empty_is_rejected_before_the_upload(page: Page, dialog: Locator) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    choose = dialog.get_by_label("Attach files")
    attach(dialog, file("film.bin", bytes(10 * MEBIBYTE + 1)))
    expect(choose).to_have_accessible_description("“film.bin” has 10.1 MB. A file may have 10 MB at most.")
    attach(dialog, file("nothing.txt", b""))
    expect(choose).to_have_accessible_description("“nothing.txt” is empty.")
    assert asked == []


def test_a_rejection_by_the_server_is_reported_and_the_input_stays(
    page: Page, dialog: Locator, watch: Watch, elsewhere: httpx.Client
) -> None:
    task = elsewhere.get("/tasks").json()["items"][0]["id"]
    for number in range(20):
        added = elsewhere.post(f"/tasks/{task}/attachments", files={"file": (f"{number}.txt", b"x")})
        added.raise_for_status()
    watch.expect("status of 422", f"{V1}/tasks/")
    watch.expect("status of 412", f"{V1}/tasks/")  # another version with equal text: saved without asking
    dialog.get_by_label("Title").fill("Find the moths")
    attach(dialog, file("one more.txt", b"x"))
    expect(dialog.get_by_label("Attach files")).to_have_accessible_description("A task has at most 20 attachments.")
    dialog.get_by_role("button", name="Save").click()
    expect(row(page, "Find the moths")).to_contain_text("20 files")


def with_spoiled_token(route: Route) -> None:
    route.continue_(headers={**route.request.headers, "authorization": "Bearer spoiled"})


def file(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def attach(dialog: Locator, chosen: FilePayload) -> None:
    dialog.get_by_label("Attach files").set_input_files(chosen)
