"""Security log: log-ins, password changes and denied access."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import structlog
from flask_openapi.openapi import OpenAPI
from structlog.testing import capture_logs
from structlog.types import EventDict

from app.core.database.engine import Database
from tests.support.api import PASSWORD, V1, Person
from tests.support.overlap import end_overlap

REMOTE = "127.0.0.1"


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        yield lines


def named(lines: list[EventDict], event: str) -> list[EventDict]:
    return [line for line in lines if line["event"] == event]


def test_log_ins_are_logged_without_the_address_that_was_typed(
    app: OpenAPI, person: Person, logged: list[EventDict]
) -> None:
    """V16.3.1: successful and unsuccessful authentication is logged."""
    user_id = person.call("GET", "/users/me").get_json()["id"]
    person.login()
    [success] = named(logged, "logged in")
    assert (success["user_id"], success["remote"], success["log_level"]) == (user_id, REMOTE, "info")

    unknown = f"{uuid4().hex}@example.com"
    for email in (person.email, unknown):
        body = {"email": email, "password": "hunter2 hunter2"}
        assert app.test_client().post(f"{V1}/auth/login", json=body).status_code == 401
    failures = named(logged, "log-in refused")
    assert [failure["user_id"] for failure in failures] == [user_id, None]
    assert {(failure["remote"], failure["log_level"]) for failure in failures} == {(REMOTE, "warning")}
    for secret in (person.email, unknown, "hunter2", PASSWORD):
        assert secret not in str(logged)


def test_a_second_use_of_a_refresh_token_is_logged(person: Person, database: Database, logged: list[EventDict]) -> None:
    """V16.3.1"""
    user_id = person.call("GET", "/users/me").get_json()["id"]
    used = person.refresh_token
    person.refresh()
    person.refresh_token = used
    assert person.refresh().status_code == 200
    assert [line["user_id"] for line in named(logged, "refresh token used again")] == [user_id]

    end_overlap(database)
    person.refresh_token = used
    assert person.refresh().status_code == 401
    assert person.refresh().status_code == 401
    assert [(line["user_id"], line["used_again"]) for line in named(logged, "refresh refused")] == [
        (user_id, True),
        (user_id, False),
    ]
    assert used not in str(logged)


def test_changes_of_a_password_are_logged(person: Person, logged: list[EventDict]) -> None:
    """V16.3.1"""
    user_id = person.call("GET", "/users/me").get_json()["id"]
    new = "another good password"
    for current, status in (("wrong", 422), (PASSWORD, 204)):
        body = {"current_password": current, "new_password": new}
        assert person.call("POST", "/users/me/password", json=body).status_code == status
    events = ["change of password refused", "password changed"]
    assert [line["event"] for line in logged if line.get("user_id") == user_id and line["event"] in events] == events
    assert new not in str(logged)


def test_denied_access_is_logged_with_caller_and_path(person: Person, logged: list[EventDict]) -> None:
    """V16.3.2: failed authorisation attempts are logged."""
    user_id = person.call("GET", "/users/me").get_json()["id"]
    assert person.call("GET", "/admin/users").status_code == 403
    spoiled = f"{person.access_token}x"
    assert person.call("GET", "/tasks", headers={"Authorization": f"Bearer {spoiled}"}).status_code == 401
    denials = [
        (line["user_id"], line["method"], line["path"], line["remote"], line["log_level"])
        for line in named(logged, "access refused")
    ]
    assert denials == [
        (user_id, "GET", f"{V1}/admin/users", REMOTE, "warning"),
        (None, "GET", f"{V1}/tasks", REMOTE, "warning"),
    ]
    assert spoiled not in str(logged)


def test_a_request_without_a_token_is_not_logged_as_denied(app: OpenAPI, logged: list[EventDict]) -> None:
    assert app.test_client().get(f"{V1}/tasks").status_code == 401
    assert named(logged, "access refused") == []
