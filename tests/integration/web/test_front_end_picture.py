"""Avatar on the profile page, in a real browser on the real server."""

from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.browser import Watch
from tests.e2e.browser_expiry import V1
from tests.e2e.browser_steps import is_request

AVATAR = f"{V1}/users/me/avatar"


@pytest.fixture
def profile(page: Page) -> Page:
    page.get_by_role("link", name="Your profile").click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    return page


def test_a_picture_is_previewed_shown_everywhere_and_removed(profile: Page) -> None:
    expect(profile.locator(".profile .avatar")).to_have_text("GH")
    choose(profile, picture(300, 200))
    expect(profile.locator(".avatar.large img")).to_have_js_property("naturalWidth", 300)
    expect(profile.get_by_role("button", name="Use this picture")).to_be_focused()
    expect(profile.locator(".profile .avatar")).to_have_text("GH")
    profile.get_by_role("button", name="Cancel").click()
    expect(profile.locator(".avatar.large")).to_have_text("GH")

    choose(profile, picture(300, 200))
    with profile.expect_response(is_request("PUT", "/users/me/avatar")) as answer:
        profile.get_by_role("button", name="Use this picture").click()
    assert answer.value.ok
    expect(profile.locator(".profile .avatar img")).to_have_js_property("naturalWidth", 256)
    profile.reload()
    expect(profile.locator(".profile .avatar img")).to_have_js_property("naturalWidth", 256)

    profile.get_by_role("button", name="Remove the picture").click()
    for place in (".profile .avatar", ".avatar.large"):
        expect(profile.locator(place)).to_have_text("GH")
    expect(profile.get_by_role("button", name="Remove the picture")).to_be_hidden()


def test_a_new_name_leaves_the_picture(profile: Page) -> None:
    choose(profile, picture(300, 200))
    profile.get_by_role("button", name="Use this picture").click()
    expect(profile.locator(".profile .avatar img")).to_be_visible()
    profile.get_by_label("Name", exact=True).fill("Amazing Grace")
    profile.get_by_role("button", name="Save name").click()
    expect(profile.locator(".profile")).to_contain_text("Amazing Grace")
    expect(profile.locator(".profile .avatar img")).to_be_visible()


@pytest.mark.usefixtures("slow_uploads")
def test_the_upload_of_a_picture_shows_progress(profile: Page) -> None:
    content = picture(300, 200) + bytes(1 << 20)  # trailing bytes are not part of the picture
    choose(profile, content)
    profile.get_by_role("button", name="Use this picture").click()
    expect(profile.get_by_role("progressbar", name="Uploading me.png")).to_be_visible()
    expect(profile.locator(".profile .avatar img")).to_be_visible()
    expect(profile.get_by_role("progressbar")).to_be_hidden()


def test_an_invalid_or_too_large_picture_is_rejected_with_a_reason(profile: Page, watch: Watch) -> None:
    field = profile.get_by_label("Choose a picture")
    choose(profile, b"no picture at all")
    expect(field).to_have_accessible_description(
        "This is no picture that can be shown. Choose a JPEG, PNG, WebP or GIF."
    )
    watch.expect("status of 422", AVATAR)
    choose(profile, picture(3000, 2001))
    profile.get_by_role("button", name="Use this picture").click()
    expect(field).to_have_accessible_description("A picture of this kind may have 6000000 pixels.")


def picture(width: int, height: int) -> bytes:
    made = BytesIO()
    Image.new("RGB", (width, height), "teal").save(made, "PNG")
    return made.getvalue()


def choose(page: Page, content: bytes) -> None:
    chosen: FilePayload = {"name": "me.png", "mimeType": "image/png", "buffer": content}
    page.get_by_label("Choose a picture").set_input_files(chosen)
