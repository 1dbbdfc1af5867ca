"""Front-end sessions survive late and lost responses, and two tabs with the same token."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.e2e.browser import Watch
from tests.e2e.browser_expiry import V1
from tests.e2e.browser_steps import row
from tests.support.ports import wait_for

REFRESH = f"**{V1}/auth/refresh"


class Renewals:
    """Holds back responses to renewals until they are released."""

    def __init__(self, profile: BrowserContext) -> None:
        self._profile = profile
        self.held: list[Callable[[], None]] = []
        self.statuses: list[int] = []

    def hold(self, first: int) -> None:
        """Hold back that many responses, the first ones."""

        def between(route: Route) -> None:
            answer = route.fetch()
            self.statuses.append(answer.status)
            if len(self.statuses) > first:
                route.fulfill(response=answer)
            else:
                self.held.append(lambda: route.fulfill(response=answer))

        self._profile.route(REFRESH, between)


@pytest.fixture
def renewals(page: Page) -> Iterator[Renewals]:
    yield Renewals(page.context)
    page.context.unroute_all()


def wait_until_held(page: Page, renewals: Renewals, count: int) -> None:
    def held() -> bool:
        page.wait_for_timeout(20)  # processes the browser's messages
        return len(renewals.held) == count

    wait_for(held, f"the server has answered {count} renewals")


def test_a_reload_during_a_renewal_stays_logged_in(page: Page, renewals: Renewals) -> None:
    renewals.hold(first=1)
    page.reload()
    wait_until_held(page, renewals, 1)
    page.reload()
    expect(row(page, "Find the moth")).to_be_visible()
    assert renewals.statuses == [200, 200]


def test_a_renewal_without_a_response_is_retried_in_time(page: Page, renewals: Renewals) -> None:
    renewals.hold(first=1)
    page.reload()
    expect(row(page, "Find the moth")).to_be_visible()
    assert renewals.statuses == [200, 200]
    page.reload()
    expect(row(page, "Find the moth")).to_be_visible()


@pytest.mark.parametrize("locks", [True, False], ids=["with locks", "without locks, as over plain HTTP"])
def test_two_tabs_that_renew_one_token_concurrently_stay_logged_in(page: Page, renewals: Renewals, locks: bool) -> None:
    with page.expect_popup() as opened:
        page.evaluate("open(location.href)")  # as duplicating does, this copies the sessionStorage
    tabs = [page, opened.value]
    for tab in tabs:
        expect(row(tab, "Find the moth")).to_be_visible()
        if not locks:
            tab.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    at_once = 1 if locks else 2
    renewals.hold(first=at_once)
    for tab in tabs:
        tab.evaluate("location.reload()")
    wait_until_held(page, renewals, at_once)
    for let_go in renewals.held:
        let_go()
    for tab in tabs:
        expect(row(tab, "Find the moth")).to_be_visible()
    for tab in tabs:
        tab.reload()
        expect(row(tab, "Find the moth")).to_be_visible()
    assert set(renewals.statuses) == {200}


def test_a_log_in_to_a_busy_server_is_retried(page: Page, watch: Watch, email: str, password: str) -> None:
    watch.expect("status of 503", f"{V1}/auth/login")
    page.get_by_role("button", name="Log out", exact=True).click()
    busy = {"title": "Service Unavailable", "status": 503, "detail": "Too many passwords are being checked."}
    page.route(
        f"**{V1}/auth/login",
        lambda route: route.fulfill(status=503, headers={"Retry-After": "1"}, json=busy),
        times=2,
    )
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(row(page, "Find the moth")).to_be_visible()


def test_a_reached_rate_limit_is_reported_with_the_time_to_wait(page: Page, watch: Watch, email: str) -> None:
    for status in (401, 429):
        watch.expect(f"status of {status}", f"{V1}/auth/login")
    page.get_by_role("button", name="Log out", exact=True).click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill("a guess at a password")
    for _ in range(11):
        with page.expect_response(f"**{V1}/auth/login") as answered:
            page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("button", name="Log in")).to_be_enabled()
    assert answered.value.status == 429
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"Too many requests: try again in \d+ seconds?\."))
