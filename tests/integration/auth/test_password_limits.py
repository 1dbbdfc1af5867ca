"""Rate limits of password checks and changes, which let no client lock out another."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi.openapi import OpenAPI
from werkzeug.test import TestResponse

from app.bootstrap.container import build
from app.bootstrap.http import create_app
from tests.support.api import PASSWORD, V1, Person, assert_problem
from tests.support.settings import make_settings

NEW = "another good password"


@pytest.fixture(params=["process", "redis"])
def start(request: pytest.FixtureRequest, sqlite_url: str) -> Iterator[Callable[..., OpenAPI]]:
    """Starts an application behind one proxy, with rate limits in the process or in Redis."""
    where = {"redis_url": request.getfixturevalue("redis").connection_url} if request.param == "redis" else {}
    started = []

    def begin(**settings: Any) -> OpenAPI:
        parts = build(make_settings(sqlite_url, trusted_hops=1, **where, **settings))
        started.append(parts)
        return create_app(parts)

    yield begin
    for parts in started:
        parts.database.dispose()


def log_in(client: FlaskClient, email: str, password: str, address: str) -> TestResponse:
    body = {"email": email, "password": password}
    return client.post(f"{V1}/auth/login", json=body, headers={"X-Forwarded-For": address})


def test_guesses_lock_out_no_other_client(start: Callable[..., OpenAPI]) -> None:
    app = start(rate_limit_login="5 per minute")
    person, stranger = Person(app.test_client()).register(), app.test_client()
    statuses = [log_in(stranger, person.email.upper(), "a guess", "192.0.2.66").status_code for _ in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    assert log_in(stranger, person.email, PASSWORD, "192.0.2.66").status_code == 429
    assert log_in(app.test_client(), person.email, PASSWORD, "192.0.2.7").status_code == 200


def test_a_known_device_still_logs_in_from_the_address_of_guesses(start: Callable[..., OpenAPI]) -> None:
    app = start(rate_limit_login="5 per minute")
    shared = "192.0.2.66"
    person = Person(app.test_client()).register()
    for _ in range(6):
        guess = log_in(app.test_client(), person.email, "a guess", shared)
    assert guess.status_code == 429
    assert log_in(app.test_client(), person.email, PASSWORD, shared).status_code == 429
    assert log_in(person.client, person.email, PASSWORD, shared).status_code == 200


def test_guesses_from_many_addresses_are_limited_and_known_devices_are_not(
    start: Callable[..., OpenAPI],
) -> None:
    app = start(rate_limit_login_account="5 per minute")
    person = Person(app.test_client()).register()
    statuses = [log_in(app.test_client(), person.email, "a guess", f"192.0.2.{n}").status_code for n in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    assert log_in(app.test_client(), person.email, PASSWORD, "198.51.100.1").status_code == 429
    assert log_in(person.client, person.email, PASSWORD, "198.51.100.2").status_code == 200
    assert log_in(person.client, person.email, "a typo", "198.51.100.2").status_code == 401


def test_a_known_device_is_limited_too_wherever_it_is(start: Callable[..., OpenAPI]) -> None:
    app = start(rate_limit_login="5 per minute")
    thief = Person(app.test_client()).register()
    statuses = [log_in(thief.client, thief.email, "a guess", f"192.0.2.{n}").status_code for n in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    assert log_in(app.test_client(), thief.email, PASSWORD, "198.51.100.1").status_code == 200


def test_a_device_is_known_to_its_own_account_alone(start: Callable[..., OpenAPI]) -> None:
    app = start(rate_limit_login_account="3 per minute")
    victim, stranger = Person(app.test_client()).register(), Person(app.test_client()).register()
    [cookie], [own] = ((person.client._cookies or {}).values() for person in (stranger, victim))
    assert cookie.key != own.key
    forger = app.test_client()
    forger.set_cookie(own.key, cookie.value, path=own.path)
    statuses = [log_in(forger, victim.email, "a guess", f"192.0.2.{n}").status_code for n in range(5)]
    assert statuses == [401] * 3 + [429] * 2


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_of_a_device_is_for_log_ins_alone(start: Callable[..., OpenAPI], scheme: str) -> None:
    app = start()
    person = Person(app.test_client()).register()
    headers = {"X-Forwarded-Proto": scheme}
    answers = [
        person.client.post(f"{V1}/auth/login", json={"email": person.email, "password": PASSWORD}, headers=headers)
        for _ in range(2)
    ]
    first, second = (answer.headers["Set-Cookie"].split("; ") for answer in answers)
    assert first[0] == second[0], "a device keeps its id"
    assert {"HttpOnly", "SameSite=Strict", f"Path={V1}/auth/login"} < set(first)
    assert ("Secure" in first) == (scheme == "https")
    assert person.email not in str(first)


def of_ipv6_network(host: int) -> str:
    return f"2001:db8:1:2:{host:x}::{host:x}"


def test_addresses_of_one_ipv6_network_count_as_one(start: Callable[..., OpenAPI]) -> None:
    client = start(rate_limit="4 per minute").test_client()

    def ask(address: str) -> int:
        return client.get(f"{V1}/users/me", headers={"X-Forwarded-For": address}).status_code

    assert [ask(of_ipv6_network(host)) for host in range(6)] == [401] * 4 + [429] * 2
    assert ask("2001:db8:1:3::1") == 401


def test_failed_log_ins_from_one_ipv6_network_count_together(start: Callable[..., OpenAPI]) -> None:
    app = start(rate_limit_login="4 per minute")
    email = Person(app.test_client()).register().email
    statuses = [log_in(app.test_client(), email, "a guess", of_ipv6_network(host)).status_code for host in range(6)]
    assert statuses == [401] * 4 + [429] * 2


def test_wrong_current_passwords_are_limited_as_failed_log_ins_are(start: Callable[..., OpenAPI]) -> None:
    person = Person(start(rate_limit_login="5 per minute").test_client()).register()

    def change(current: str, new: str = NEW) -> TestResponse:
        body = {"current_password": current, "new_password": new}
        return person.call("POST", "/users/me/password", json=body)

    for _ in range(6):
        assert_problem(change(PASSWORD, "short"), 422)  # not counted as a guess
    for number in range(5):
        assert_problem(change(f"guess {number}"), 422)
    deletion = person.call("DELETE", "/users/me", json={"password": PASSWORD})
    for refused in (change("guess 6"), change(PASSWORD), deletion):
        assert_problem(refused, 429)
        assert int(refused.headers["Retry-After"]) > 0


def test_guesses_of_the_current_password_are_limited_across_addresses(start: Callable[..., OpenAPI]) -> None:
    person = Person(start(rate_limit_login_account="5 per minute").test_client()).register()
    body = {"current_password": "a guess", "new_password": NEW}
    statuses = [
        person.call("POST", "/users/me/password", json=body, headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code
        for n in range(7)
    ]
    assert statuses == [422] * 5 + [429] * 2


def test_registrations_of_one_address_are_limited(start: Callable[..., OpenAPI]) -> None:
    client = start(rate_limit_register="3 per minute").test_client()
    body = {"email": "somebody@example.com", "password": PASSWORD, "name": "Somebody"}
    statuses = [client.post(f"{V1}/auth/register", json=body).status_code for _ in range(5)]
    assert statuses[0] == 201
    assert statuses[3:] == [429] * 2
    assert client.post(f"{V1}/auth/register", json={**body, "email": "else@example.com"}).status_code == 201


REQUESTS: dict[str, tuple[str, Callable[[int], dict[str, str]]]] = {
    "register": ("/auth/register", lambda n: {"email": f"{n}@example.com", "password": PASSWORD, "name": "Somebody"}),
    "login": ("/auth/login", lambda n: {"email": f"{n}@example.com", "password": PASSWORD}),
    "change_password": ("/users/me/password", lambda n: {"current_password": f"guess {n}", "new_password": NEW}),
    "delete_me": ("/users/me", lambda n: {"password": f"guess {n}"}),
    "confirm_password_reset": ("/auth/password-reset/confirm", lambda n: {"token": f"{n}.x", "password": NEW}),
}
"""A request of each operation that hashes a password; tests/unit/auth/test_hashing_views.py finds these."""


@pytest.mark.parametrize("operation", REQUESTS)
def test_all_password_operations_of_an_address_count_together(start: Callable[..., OpenAPI], operation: str) -> None:
    app = start(rate_limit_login_address="6 per minute")
    person = Person(app.test_client()).register()  # two operations: registration and log-in
    path, body = REQUESTS[operation]
    statuses = [person.call(method(operation), path, json=body(number)).status_code for number in range(5)]
    assert 429 not in statuses[:4]
    assert statuses[4] == 429
    for other, (its_path, make) in REQUESTS.items():
        assert_problem(person.call(method(other), its_path, json=make(9)), 429)
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    assert person.call(method(operation), path, json=body(10), headers=elsewhere).status_code != 429


def method(operation: str) -> str:
    return "DELETE" if operation == "delete_me" else "POST"
