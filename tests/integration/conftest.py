"""Fixtures for the tests of the front end: one server and one browser, and pages with an account of their own each."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    import httpx
    from playwright.sync_api import Browser, Page

    from tests.e2e.browser import Watch
    from tests.support.server import Server


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: bytes) -> "Iterator[Server]":
    """A running server with a database of its own."""
    from tests.support.server import server

    folder = tmp_path_factory.mktemp("front-end")
    (folder / "tasks.sqlite").write_bytes(migrated_sqlite)
    with server(folder, f"sqlite:///{folder / 'tasks.sqlite'}") as started:
        yield started


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A headless Chromium."""
    from playwright.sync_api import expect

    from tests.e2e.browser import TIMEOUT_MS, chromium

    expect.set_options(timeout=TIMEOUT_MS)
    with chromium() as started:
        yield started


@pytest.fixture
def watched(browser: "Browser") -> "Iterator[tuple[Page, Watch]]":
    """An empty page whose console has to stay clean, but for what the test says it provokes."""
    from tests.e2e.browser import Watch, page_of

    with page_of(browser) as opened:
        watch = Watch(opened)
        yield opened, watch
        watch.assert_clean()


@pytest.fixture
def watch(watched: "tuple[Page, Watch]") -> "Watch":
    """To say which refusals a test provokes."""
    return watched[1]


@pytest.fixture
def email() -> str:
    """The address of whoever works on `page`."""
    return f"{uuid4().hex}@example.org"


@pytest.fixture
def password() -> str:
    """The password of whoever works on `page`."""
    return uuid4().hex


@pytest.fixture
def sign_up(running: "Server") -> "Callable[[Page, str, str], None]":
    """Opens an account in the browser, which leads to the page of tasks."""
    from playwright.sync_api import expect

    def by_form(page: "Page", email: str, password: str) -> None:
        page.goto(f"{running.url}/#/register")
        page.get_by_label("Name").fill("Grace Hopper")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign up").click()
        expect(page.get_by_role("heading", name="Nothing to do yet")).to_be_visible()

    return by_form


@pytest.fixture
def page(
    watched: "tuple[Page, Watch]", sign_up: "Callable[[Page, str, str], None]", email: str, password: str
) -> "Page":
    """The page of tasks of somebody who has just signed up and written one task."""
    from playwright.sync_api import expect

    from tests.e2e.browser_expiry import V1
    from tests.e2e.browser_steps import row

    opened, watch = watched
    watch.expect("status of 401", f"{V1}/auth/refresh")  # of a session that a test ends
    sign_up(opened, email, password)
    opened.get_by_role("textbox", name="New task").fill("Find the moth")
    opened.keyboard.press("Enter")
    expect(row(opened, "Find the moth")).to_be_visible()
    return opened


@pytest.fixture
def elsewhere(page: "Page", email: str, password: str) -> "Iterator[httpx.Client]":
    """Another session of whoever works on `page`."""
    import httpx

    from tests.e2e.browser_expiry import V1

    with httpx.Client(base_url=httpx.URL(page.url).join(V1)) as client:
        answer = client.post("/auth/login", json={"email": email, "password": password}).raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


@pytest.fixture
def slow_uploads(page: "Page") -> None:
    """What `page` sends takes its time: an upload of a mebibyte can be watched."""
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", limits)
