"""Fixtures: mail servers and what sends to them; one server and one browser, and pages with an account each."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    import httpx
    from playwright.sync_api import Browser, BrowserContext, Page

    from app.bootstrap.container import Container
    from tests.e2e.browser import Watch
    from tests.support.postgres import Postgres
    from tests.support.server import Server
    from tests.support.smtp import Inbox


@pytest.fixture(autouse=True)
def events_fit_their_contracts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold every event that the test's own process publishes against its contract."""
    from app.core.events.model import Event
    from app.core.events.outbox import SqlOutbox
    from tests.support.contracts import violations

    problems: list[str] = []
    add, add_many = SqlOutbox.add, SqlOutbox.add_many

    def checked_add(self: SqlOutbox, event: Event) -> None:
        problems.extend(violations(event))
        add(self, event)

    def checked_add_many(self: SqlOutbox, events: Sequence[Event]) -> None:
        problems.extend(problem for event in events for problem in violations(event))
        add_many(self, events)

    monkeypatch.setattr(SqlOutbox, "add", checked_add)
    monkeypatch.setattr(SqlOutbox, "add_many", checked_add_many)
    yield
    assert problems == []


@pytest.fixture(scope="session")
def keys_url() -> Iterator[str]:
    """The URL of the public keys of the tests' applications, for services that run apart from auth."""
    from app.core.security.keys import signature_key
    from tests.support.issuer import Issuer, issuer
    from tests.support.server import SECRET

    with issuer(Issuer(signature_key(SECRET))) as started:
        yield started.url


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: bytes) -> "Iterator[Server]":
    """A running server with a database of its own."""
    from tests.support.server import server

    folder = tmp_path_factory.mktemp("front-end")
    (folder / "tasks.sqlite").write_bytes(migrated_sqlite)
    with server(folder, f"sqlite:///{folder / 'tasks.sqlite'}") as started:
        yield started


@pytest.fixture(scope="session")
def mailbox() -> "Iterator[Inbox]":
    """What `mailing_server` has sent."""
    from tests.support.smtp import mail_server

    with mail_server() as started:
        yield started


@pytest.fixture(scope="session")
def mailing_server(
    tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: bytes, mailbox: "Inbox"
) -> "Iterator[Server]":
    """A running server that sends mails."""
    from tests.support.server import server
    from tests.support.smtp import PUBLIC_URL

    folder = tmp_path_factory.mktemp("mailing")
    (folder / "tasks.sqlite").write_bytes(migrated_sqlite)
    mail = {"APP_SMTP_HOST": "127.0.0.1", "APP_SMTP_PORT": str(mailbox.port), "APP_SMTP_TLS": "none"}
    more = {"APP_MAIL_FROM": "noreply@example.org", "APP_PUBLIC_URL": PUBLIC_URL, "APP_JOB_POLL": "0.2"}
    with server(folder, f"sqlite:///{folder / 'tasks.sqlite'}", **mail, **more) as started:
        yield started


@pytest.fixture
def inbox() -> "Iterator[Inbox]":
    """A mail server of the test's own."""
    from tests.support.smtp import mail_server

    with mail_server() as started:
        yield started


@pytest.fixture
def start_mailing(database_url: str, inbox: "Inbox") -> "Iterator[Callable[..., Container]]":
    """Puts the parts of an application that sends mails together."""
    from app.bootstrap.container import build
    from tests.support.settings import make_settings

    containers: list[Container] = []

    def begin(**settings: Any) -> "Container":
        mail = {"smtp_host": "127.0.0.1", "smtp_port": inbox.port, "smtp_tls": "none", "mail_from": "n@example.org"}
        containers.append(build(make_settings(database_url, **mail, public_url="https://x.example.org", **settings)))
        return containers[-1]

    yield begin
    for parts in containers:
        parts.database.dispose()


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A headless Chromium."""
    from playwright.sync_api import expect

    from tests.e2e.browser import TIMEOUT_MS, chromium

    expect.set_options(timeout=TIMEOUT_MS)
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def browser_profile(browser: "Browser") -> "Iterator[BrowserContext]":
    """The browser's profile: a new one for each test would start its processes and fill its caches anew."""
    from tests.e2e.browser import profile_of

    with profile_of(browser) as made:
        made.new_page()  # a tab that stays keeps more of the browser's processes running
        yield made


@pytest.fixture
def watched(browser_profile: "BrowserContext") -> "Iterator[tuple[Page, Watch]]":
    """An empty tab, whose console has to stay clean, but for what the test says it provokes. A session is its tab's."""
    from tests.e2e.browser import Watch

    opened = browser_profile.new_page()
    watch = Watch(opened)
    yield opened, watch
    for tab in browser_profile.pages[1:]:
        tab.close()
    browser_profile.set_offline(False)
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
def page(running: "Server", watched: "tuple[Page, Watch]", email: str, password: str) -> "Page":
    """The page of tasks of somebody who has an account and one task."""
    import httpx
    from playwright.sync_api import expect

    from tests.e2e.browser_expiry import V1
    from tests.e2e.browser_steps import row

    opened, watch = watched
    watch.expect("status of 401", f"{V1}/auth/refresh")  # of a session that a test ends
    account = {"email": email, "password": password}
    with httpx.Client(base_url=f"{running.url}{V1}") as client:
        client.post("/auth/register", json={**account, "name": "Grace Hopper"}).raise_for_status()
        pair = client.post("/auth/login", json=account).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {pair['access_token']}"
        client.post("/tasks", json={"title": "Find the moth"}).raise_for_status()
    opened.goto(f"{running.url}/health/live")  # of the same origin, so that a session can be put down before it begins
    opened.evaluate("token => sessionStorage.setItem('refresh_token', token)", pair["refresh_token"])
    opened.goto(running.url)
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


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: "Path") -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"empty_{uuid4().hex}"
    server.execute(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")
