"""Smoke test of a stack: what users and their browsers ask for first, and a log-in where an account is given."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import requests

from local.errors import LocalError
from local.progress import Progress
from local.stack import address, pulumi, served_certificate
from local.stack.place import place_of

EMAIL, PASSWORD = "SMOKE_EMAIL", "SMOKE_PASSWORD"
TITLE: Final = "Smoke test"
_SECONDS: Final = 10


def test(stack: str | None, progress: Progress) -> None:
    """Check that a stack serves, one step after another.

    With an account in SMOKE_EMAIL and SMOKE_PASSWORD it logs in, and a task is made, read and deleted; without one,
    nothing is written.

    Args:
        stack: its name; None for the one that came up last.
        progress: where the steps are shown.

    Raises:
        LocalError: the first step that failed, and why.
    """
    outputs = pulumi.outputs(stack)
    place = place_of(stack, outputs)
    with progress.step("readiness"):
        url = address.first_answering(address.candidates(outputs, place))
    if "url_tls" in outputs:
        with progress.step("certificate"):
            by_tls = address.candidates(outputs, place, "https")
            same = [each for each in by_tls if urlsplit(each).hostname == urlsplit(url).hostname]
            served_certificate.check((same or by_tls)[0], datetime.now(UTC))
    for name, check in _checks():
        with progress.step(name):
            _run(check, url)


Check = Callable[[requests.Session, str], None]


def _checks() -> list[tuple[str, Check]]:
    account = (os.environ.get(EMAIL, ""), os.environ.get(PASSWORD, ""))
    if any(account) and not all(account):
        raise LocalError(f"{EMAIL} and {PASSWORD} belong together: set both, or neither for a test that writes nothing")
    checks: list[tuple[str, Check]] = [("front end", _front_end), ("API without a token", _without_token)]
    if all(account):
        checks.append(("a task by an account", lambda session, url: _task(session, url, *account)))
    return checks


def _run(check: Check, url: str) -> None:
    with requests.Session() as session:
        try:
            check(session, url)
        except (requests.RequestException, ValueError, KeyError) as error:
            raise LocalError(f"smoke test of {url}: {' '.join(str(error).split())}") from error


def _front_end(session: requests.Session, url: str) -> None:
    page = _expect(session.get(url, timeout=_SECONDS), 200)
    if not page.headers.get("Content-Type", "").startswith("text/html"):
        raise ValueError(f"GET / is {page.headers.get('Content-Type')}, and no page")


def _without_token(session: requests.Session, url: str) -> None:
    _expect(session.get(f"{url}/api/v1/tasks", timeout=_SECONDS), 401)


def _task(session: requests.Session, url: str, email: str, password: str) -> None:
    body = {"email": email, "password": password}
    login = _expect(session.post(f"{url}/api/v1/auth/login", json=body, timeout=_SECONDS), 200)
    session.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
    try:
        made = _expect(session.post(f"{url}/api/v1/tasks", json={"title": TITLE}, timeout=_SECONDS), 201)
        task = f"{url}/api/v1/tasks/{made.json()['id']}"
        try:
            read = _expect(session.get(task, timeout=_SECONDS), 200)
            if read.json()["title"] != TITLE:
                raise ValueError(f"GET {urlsplit(task).path} returned another task than the one that was made")
        finally:
            _expect(session.delete(task, timeout=_SECONDS), 204)
    finally:
        _expect(session.post(f"{url}/api/v1/auth/logout", timeout=_SECONDS), 204)


def _expect(response: requests.Response, status: int) -> requests.Response:
    if response.status_code != status:
        request = response.request
        raise ValueError(f"{request.method} {urlsplit(str(request.url)).path} is {response.status_code}, not {status}")
    return response
