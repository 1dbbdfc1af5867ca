"""Imports and exports, in a real browser on the real server."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import Watch
from tests.e2e.browser_expiry import V1
from tests.e2e.browser_steps import row
from tests.support.phone import PHONE, expect_no_overflow

FILES = Path(__file__).parents[2] / "data" / "imports"
JOB = "00000000-0000-7000-8000-000000000001"


@pytest.fixture
def transfers(page: Page) -> Page:
    page.get_by_role("link", name="Import and export").click()
    expect(page.get_by_role("heading", name="Import and export")).to_be_visible()
    expect(page.get_by_text("Nothing yet.").first).to_be_visible()
    return page


def test_a_file_is_imported_and_its_rejected_lines_are_shown(transfers: Page, tmp_path: Path) -> None:
    transfers.get_by_role("button", name="Import", exact=True).click()
    expect(transfers.get_by_label("CSV file")).to_have_accessible_description("Choose a file first.")

    file = tmp_path / "tasks.csv"
    file.write_text("title,status\nCount the relays,todo\nOpen panel F,nonsense\n")
    transfers.get_by_label("CSV file").set_input_files(file)
    transfers.get_by_role("button", name="Import", exact=True).click()
    expect(job(transfers)).to_contain_text("Import, done")
    expect(job(transfers).get_by_role("progressbar")).to_be_hidden()
    job(transfers).get_by_role("button", name="1 refused line").click()
    expect(job(transfers).get_by_role("listitem")).to_contain_text("Open panel F")

    transfers.get_by_role("link", name="Tasks", exact=True).click()
    expect(row(transfers, "Count the relays")).to_be_visible()
    expect(row(transfers, "Open panel F")).to_have_count(0)


@pytest.mark.usefixtures("slow_uploads")
def test_a_running_upload_shows_progress_and_can_be_stopped(transfers: Page, tmp_path: Path) -> None:
    file = tmp_path / "tasks.csv"
    file.write_text("title,description\n" + f"Count the relays,{'tick ' * 200}\n" * 600)
    transfers.get_by_label("CSV file").set_input_files(file)
    transfers.get_by_role("button", name="Import", exact=True).click()
    bar = transfers.get_by_role("progressbar", name="Uploading tasks.csv")
    expect(transfers.get_by_text(re.compile(r"^[1-9]\d?%$"))).to_be_visible()
    assert 0 < bar.evaluate("bar => bar.value") < 1
    transfers.get_by_role("button", name="Stop uploading tasks.csv").click()
    expect(bar).to_be_hidden()
    expect(transfers.get_by_text("Nothing yet.").first).to_be_visible()
    expect(transfers.get_by_label("CSV file")).to_have_value(re.compile(r"tasks\.csv$"))

    transfers.get_by_role("button", name="Import", exact=True).click()
    expect(bar).to_be_visible()
    expect(job(transfers)).to_contain_text("Import, done")
    expect(bar).to_be_hidden()


def test_an_export_is_downloaded_when_it_is_done(transfers: Page) -> None:
    transfers.get_by_label("With these words").fill("moth")
    transfers.get_by_role("button", name="Export", exact=True).click()
    with transfers.expect_download() as download:
        job(transfers).get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "tasks.csv"
    assert "Find the moth" in download.value.path().read_text()


def test_the_progress_of_a_job_shows_and_it_is_cancelled_and_resumed(transfers: Page) -> None:
    now = {"state": "running", "done": 10}

    def answer(**change: object) -> dict[str, object]:
        now.update(change)
        fixed = {"id": JOB, "kind": "import", "total": 40, "refused": 0, "created_at": "2031-02-03T04:05:06Z"}
        return {**fixed, "started_at": None, "finished_at": None, "error": None, "result_url": None, **now}

    page_of_jobs = {"items": [answer()], "next_cursor": None}
    transfers.route(re.compile(rf"{V1}/jobs$"), lambda route: route.fulfill(json=page_of_jobs))
    transfers.route(f"**{V1}/jobs/{JOB}", lambda route: route.fulfill(json=answer()))
    transfers.route(f"**{V1}/jobs/{JOB}/cancel", lambda route: route.fulfill(json=answer(state="cancelled")))
    transfers.route(f"**{V1}/jobs/{JOB}/resume", lambda route: route.fulfill(json=answer(state="running")))
    transfers.reload()
    bar = job(transfers).get_by_role("progressbar")
    expect(bar).to_have_js_property("value", 10)
    now["done"] = 20
    expect(bar).to_have_js_property("value", 20)
    expect(job(transfers)).to_contain_text("20 of 40")
    job(transfers).get_by_role("button", name="Cancel").click()
    expect(job(transfers)).to_contain_text("Import, cancelled")
    expect(bar).to_be_hidden()
    job(transfers).get_by_role("button", name="Resume").click()
    expect(job(transfers)).to_contain_text("Import, under way")
    now["done"] = 30
    expect(bar).to_have_js_property("value", 30)
    now.update(state="succeeded", done=40)
    expect(job(transfers)).to_contain_text("Import, done")


def test_a_rejected_file_is_explained(transfers: Page, watch: Watch, tmp_path: Path) -> None:
    watch.expect("status of 422", f"{V1}/tasks/imports/preview")
    file = tmp_path / "tasks.csv.gz"
    file.write_bytes(b"\x1f\x8b\x08\x00")
    transfers.get_by_label("CSV file").set_input_files(file)
    expect(transfers.get_by_label("CSV file")).to_have_accessible_description("Must be plain CSV, not compressed.")


def test_an_import_is_previewed(transfers: Page) -> None:
    transfers.get_by_label("CSV file").set_input_files(FILES / "todoist.csv")
    expect(transfers.get_by_text("Written by Todoist. 5 rows read, 1 can't be imported.")).to_be_visible()
    expect(transfers.get_by_label("CONTENT becomes")).to_have_value("title")
    expect(transfers.get_by_label("PRIORITY becomes")).to_have_value("ignore")
    expect(transfers.get_by_role("list", name="The first tasks")).to_contain_text("Buy milk @shop")
    refused = transfers.get_by_role("list", name="Lines that can't be imported")
    expect(refused).to_contain_text("Line 5: DATE: must be a date like YYYY-MM-DD")
    expect(transfers.get_by_text("Nothing yet.").first).to_be_visible()

    transfers.get_by_label("DATE becomes").select_option("Description")
    expect(refused).to_be_hidden()
    transfers.get_by_role("button", name="Import", exact=True).click()
    expect(job(transfers)).to_contain_text("Import, done")
    expect(job(transfers)).to_contain_text("left out: TYPE, PRIORITY")
    expect(transfers.get_by_label("CONTENT becomes")).to_be_hidden()
    transfers.get_by_role("link", name="Tasks", exact=True).click()
    expect(row(transfers, "Wipe the table")).to_be_visible()


def test_columns_and_date_format_can_be_chosen(transfers: Page, watch: Watch) -> None:
    transfers.get_by_label("CSV file").set_input_files(FILES / "own-names.csv")
    expect(transfers.get_by_text("Choose below which column is the title.")).to_be_visible()
    watch.expect("status of 422", f"{V1}/tasks/imports")
    transfers.get_by_role("button", name="Import", exact=True).click()
    expect(transfers.get_by_label("What becomes")).to_have_accessible_description(re.compile("No column is the title"))
    transfers.get_by_label("What becomes").select_option("Title")
    transfers.get_by_label("When becomes").select_option("Due date")
    expect(transfers.get_by_role("list", name="Lines that can't be imported")).to_contain_text("RFC 3339")
    transfers.get_by_label("Dates like").select_option("31.01.2030")
    expect(transfers.get_by_role("list", name="The first tasks")).to_contain_text("due")
    expect(transfers.get_by_text("Left out: Where.")).to_be_visible()
    transfers.get_by_role("button", name="Import", exact=True).click()
    expect(job(transfers)).to_contain_text("Import, done")


def test_the_encoding_can_be_chosen(transfers: Page) -> None:
    transfers.get_by_label("CSV file").set_input_files(FILES / "excel-german.csv")
    refused = transfers.get_by_role("list", name="Lines that can't be imported")
    expect(refused).to_contain_text("is not UTF-8")
    transfers.get_by_label("Encoding").select_option("Windows-1252 (Western European)")
    transfers.get_by_label("Dates like").select_option("31.01.2030")
    expect(refused).to_be_hidden()
    expect(transfers.get_by_role("list", name="The first tasks")).to_contain_text("Äpfel kaufen")


def test_an_export_for_excel_begins_with_a_byte_order_mark(transfers: Page) -> None:
    transfers.get_by_label("For Excel").check()
    transfers.get_by_role("button", name="Export", exact=True).click()
    with transfers.expect_download() as download:
        job(transfers).get_by_role("button", name="Download").click()
    assert download.value.path().read_bytes().startswith(b"\xef\xbb\xbftitle,")


def test_a_tag_with_a_comma_stays_one_when_its_task_is_edited(transfers: Page, tmp_path: Path) -> None:
    file = tmp_path / "tasks.csv"
    file.write_text('title,tags\nBuy paint,"""home, work"";shop"\n')
    transfers.get_by_label("CSV file").set_input_files(file)
    transfers.get_by_role("button", name="Import", exact=True).click()
    expect(job(transfers)).to_contain_text("Import, done")
    transfers.get_by_role("link", name="Tasks", exact=True).click()
    row(transfers, "Buy paint").get_by_role("button", name="Edit").click()
    dialog = transfers.get_by_role("dialog")
    expect(dialog.get_by_label("Tags")).to_have_value('"home, work", shop')
    dialog.get_by_label("Tags").fill('"home, work", shop, "say ""x"""')
    dialog.get_by_role("button", name="Save").click()
    for tag in ("home, work", "shop", 'say "x"'):
        expect(row(transfers, "Buy paint").get_by_text(tag, exact=True)).to_be_visible()


def test_the_page_fits_the_smallest_phone(transfers: Page) -> None:
    transfers.get_by_label("CSV file").set_input_files(FILES / "jira.csv")
    expect(transfers.get_by_label("Summary becomes")).to_be_visible()
    transfers.get_by_role("button", name="Export", exact=True).click()
    expect(job(transfers)).to_be_visible()
    transfers.set_viewport_size(PHONE)
    expect_no_overflow(transfers)


def job(page: Page) -> Locator:
    return page.locator(".entry").first
