"""The caller's account and sessions over HTTP, on both databases."""

import pytest

from tests.support.api import PASSWORD, Person, assert_problem

NEW = "another good password"


def test_a_name_can_be_changed(person: Person) -> None:
    changed = person.call("PATCH", "/users/me", json={"name": " New Name "})
    assert changed.get_json()["name"] == "New Name"
    assert person.call("GET", "/users/me").get_json() == changed.get_json()


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 201}, {"name": "x", "email": "a@example.com"}])
def test_an_invalid_change_is_rejected(person: Person, body: dict[str, str]) -> None:
    assert_problem(person.call("PATCH", "/users/me", json=body), 422)


def test_a_new_password_ends_the_other_sessions_and_replaces_the_old_one(person: Person) -> None:
    """V7.4.3: other sessions can be ended with the change of a factor."""
    other = Person(person.client, person.email).login()
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert person.call("POST", "/users/me/password", json=body).status_code == 204
    assert person.call("GET", "/users/me").status_code == 200
    assert_problem(other.call("GET", "/users/me"), 401)
    assert_problem(other.refresh(), 401)
    for password, status in ((PASSWORD, 401), (NEW, 200)):
        response = person.client.post("/api/v1/auth/login", json={"email": person.email, "password": password})
        assert response.status_code == status


def test_changing_the_password_needs_the_current_one(person: Person) -> None:
    """V6.2.3: changing the password needs the current one."""
    body = {"current_password": "wrong password", "new_password": NEW}
    problem = assert_problem(person.call("POST", "/users/me/password", json=body), 422)
    assert [error["field"] for error in problem["errors"]] == ["current_password"]
    assert person.login().call("GET", "/users/me").status_code == 200


def test_sessions_are_listed_and_ended_one_by_one(person: Person) -> None:
    """V7.5.2: users see their sessions and can end any."""
    other = Person(person.client, person.email).login()
    listed = person.call("GET", "/auth/sessions").get_json()["items"]
    assert [session["current"] for session in listed] == [False, True]
    other.refresh()
    [refreshed, _mine] = person.call("GET", "/auth/sessions").get_json()["items"]
    assert refreshed["last_used_at"] > listed[0]["last_used_at"]
    assert person.call("DELETE", f"/auth/sessions/{refreshed['id']}").status_code == 204
    assert_problem(other.call("GET", "/users/me"), 401)
    assert_problem(person.call("DELETE", f"/auth/sessions/{refreshed['id']}"), 404)
    assert len(person.call("GET", "/auth/sessions").get_json()["items"]) == 1


def test_logging_out_everywhere_ends_every_session(person: Person) -> None:
    other = Person(person.client, person.email).login()
    assert person.call("POST", "/auth/logout-everywhere").status_code == 204
    for session in (person, other):
        assert_problem(session.call("GET", "/users/me"), 401)
        assert_problem(session.refresh(), 401)
