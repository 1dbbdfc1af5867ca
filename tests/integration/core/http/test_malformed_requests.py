"""Malformed requests at every operation of the OpenAPI document: always a 4xx, never a 5xx."""

import json
import tracemalloc
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from flask_openapi.openapi import OpenAPI
from werkzeug.test import TestResponse

from app.core.http.json_body import LIMIT
from app.core.http.problems import LONGEST_ECHO, MOST_ERRORS
from app.core.http.strict_json import MOST_VALUES
from tests.support.api import V1, Person, assert_problem, openapi_document
from tests.support.application import Application

JSON = "application/json"
ID = "00000000-0000-4000-8000-000000000000"
HALF_PAIR = b'{"title":"\xed\xa0\x80"}'
TASK = {"title": "x"}

MALFORMED = {
    "half a surrogate pair in UTF-8": HALF_PAIR,
    "half a surrogate pair in a name": b'{"\xed\xa0\x80":1}',
    "half a surrogate pair, escaped": b'{"title":"\\ud800"}',
    "half a surrogate pair, escaped, in a name": b'{"\\udfff":1}',
    "half a surrogate pair in a list": b'{"tags":[["\\udc00"]]}',
    "half a surrogate pair in UTF-16": '{"title":"\ud800"}'.encode("utf-16", "surrogatepass"),
    "UTF-16 without a mark": json.dumps(TASK).encode("utf-16-le"),
    "UTF-16": json.dumps(TASK).encode("utf-16"),
    "UTF-32": json.dumps(TASK).encode("utf-32"),
    "Latin-1": '{"title":"é"}'.encode("latin-1"),
    "an overlong form": b'{"title":"\xc0\xaf"}',
    "a NUL": b"\x00",
    "a number beyond floating point": b'{"title":1e400}',
    "an integer of 5,000 digits": b'{"title":' + b"9" * 5000 + b"}",
    "not a number": b'{"title":NaN}',
    "infinity": b'{"title":-Infinity}',
    "lists in lists": b"[" * 200_000,
    "objects in objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a name twice": b'{"title":"x","title":"y"}',
    "two values": b'{"title":"x"} 1',
    "half a value": b'{"title":"x"',
}


def operations(app: OpenAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and description of each operation."""
    document = openapi_document(app.test_client())
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def with_a_json_body(app: OpenAPI) -> list[tuple[str, str]]:
    """Return method and path of each operation that takes a JSON body."""
    return [
        (method, path.replace("{", "").replace("}", "").replace("task_id", ID))
        for method, path, operation in operations(app)
        if JSON in operation.get("requestBody", {}).get("content", {})
    ]


@pytest.fixture
def app(sqlite_application: Application) -> Iterator[OpenAPI]:
    """The application on SQLite only: the database makes no difference here."""
    yield sqlite_application.app
    sqlite_application.forget()


@pytest.fixture
def person(app: OpenAPI) -> Person:
    return Person(app.test_client()).register()


def test_there_are_operations_with_a_body(app: OpenAPI) -> None:
    found = with_a_json_body(app)
    assert len(found) >= 12
    assert ("POST", f"{V1}/auth/login") in found


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_body_that_is_not_json_in_utf8_is_a_400_everywhere(app: OpenAPI, person: Person, body: bytes) -> None:
    for method, path in with_a_json_body(app):
        public = path.startswith(f"{V1}/auth/") and "/logout" not in path
        anonymous = app.test_client().open(path, method=method, data=body, content_type=JSON)
        assert anonymous.status_code == (400 if public else 401), (path, anonymous.text)
        answer = person.call(method, path.removeprefix(V1), data=body, content_type=JSON)
        # Administration checks the role before the body.
        assert_problem(answer, 403 if "/admin/" in path else 400)


def test_a_byte_order_mark_is_ignored(person: Person) -> None:
    """RFC 8259, section 8.1: a parser may ignore it."""
    body = b"\xef\xbb\xbf" + json.dumps(TASK).encode()
    assert person.call("POST", "/tasks", data=body, content_type=JSON).status_code == 201


def test_whole_surrogate_pairs_are_characters(person: Person) -> None:
    body = b'{"title":"\\ud83d\\ude00"}'
    assert person.call("POST", "/tasks", data=body, content_type=JSON).get_json()["title"] == "\N{GRINNING FACE}"


@pytest.mark.parametrize("text", ["%ED%A0%80", "%FF", "%C0%AF", "\xff", "\xed\xa0\x80"])
def test_a_url_that_is_not_utf8_is_a_400_everywhere(app: OpenAPI, person: Person, text: str) -> None:
    """The test client would percent-encode the URL, so the WSGI environment is given directly."""
    authorised = {"HTTP_AUTHORIZATION": f"Bearer {person.access_token}"}
    for method, path, operation in operations(app):
        path = path.replace("{task_id}", ID).replace("{", "").replace("}", "")
        query = app.test_client().open(
            path, method=method, environ_overrides={"QUERY_STRING": f"q={text}", **authorised}
        )
        assert query.status_code == 400, (operation["operationId"], query.text)
        if "%" not in text:
            path_answer = app.test_client().open(
                path, method=method, environ_overrides={"PATH_INFO": f"{path}{text}", **authorised}
            )
            assert path_answer.status_code == 400, (operation["operationId"], path_answer.text)


@pytest.mark.parametrize("value", ["\xff", "\xed\xa0\x80", "x" * 5000, "[" * 5000, "\x80=\x81; \x82", '"'])
@pytest.mark.parametrize(
    "name",
    [
        "ACCEPT",
        "AUTHORIZATION",
        "COOKIE",
        "FORWARDED",
        "IDEMPOTENCY_KEY",
        "IF_MATCH",
        "IF_NONE_MATCH",
        "RANGE",
        "REFERER",
        "TRACEPARENT",
        "X_FORWARDED_FOR",
        "X_REQUEST_ID",
    ],
)
def test_raw_bytes_in_a_header_are_never_a_fault(app: OpenAPI, person: Person, name: str, value: str) -> None:
    headers = {"HTTP_AUTHORIZATION": f"Bearer {person.access_token}", f"HTTP_{name}": value}
    for method, path in (("GET", "/tasks"), ("POST", "/tasks"), ("PATCH", f"/tasks/{ID}"), ("GET", "/reports/weekly")):
        body = None if method == "GET" else TASK
        answer = app.test_client().open(f"{V1}{path}", method=method, json=body, environ_overrides=headers)
        assert answer.status_code < 500, (path, answer.text)


def test_a_token_with_a_deeply_nested_header_is_a_401(app: OpenAPI) -> None:
    """No key is needed to send it: a token is parsed before its signature is checked."""
    header = urlsafe_b64encode(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}").decode().rstrip("=")
    answer = app.test_client().get(f"{V1}/tasks", headers={"Authorization": f"Bearer {header}.e30.AA"})
    assert_problem(answer, 401)


def test_of_many_errors_a_few_are_listed_and_the_rest_counted(person: Person) -> None:
    answer = person.call("POST", "/tasks", json={f"unknown {number}": 1 for number in range(2000)})
    problem = assert_problem(answer, 422)
    assert len(problem["errors"]) == MOST_ERRORS
    assert "2001" in problem["detail"]  # the title is missing too
    assert len(answer.data) < 10_000


def refused_bodies() -> dict[str, bytes]:
    """Return bodies near the limit that break schemas in as many ways, or at such length, as they can."""
    many = LIMIT // 15
    return {
        "unknown names": json.dumps({f"k{number:06}": 1 for number in range(many)}).encode(),
        "wrong tags": json.dumps({"title": "x", "tags": [1] * (LIMIT // 4)}).encode(),
        "wrong identifiers": json.dumps({"action": "delete", "ids": [1] * (LIMIT // 4)}).encode(),
        "a long name": json.dumps({"k" * (LIMIT - 100): 1}).encode(),
        "a long value": json.dumps({"action": "k" * (LIMIT - 100)}).encode(),
        "lists": b'{"title":[' + b"[]," * (LIMIT // 4) + b"[]]}",
    }


@pytest.mark.parametrize("body", refused_bodies().values(), ids=refused_bodies())
def test_the_answer_to_a_large_wrong_body_is_small_and_takes_little_memory(person: Person, body: bytes) -> None:
    assert len(body) <= LIMIT

    def post(path: str) -> TestResponse:
        return person.call("POST", path, data=body, content_type=JSON)

    post("/tasks")
    for path in ("/tasks", "/tasks/bulk", "/tasks/exports", "/auth/register", "/auth/login"):
        tracemalloc.start()
        try:
            answer = post(path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert_problem(answer, 422)
        assert len(answer.data) < MOST_ERRORS * 3 * LONGEST_ECHO, path
        # As bytes, as text, and as parsed values: not a fourth time as errors.
        assert peak < 40 * LIMIT, (path, peak)


def test_the_longest_texts_may_be_all_commas(person: Person) -> None:
    task = {"description": "," * 10_000, "title": "," * 200, "tags": [f"{number:02}{',' * 48}" for number in range(20)]}
    assert person.create(**task)["description"] == task["description"]


def test_a_body_may_have_as_many_values_as_the_largest_schema_needs(person: Person) -> None:
    ids = [person.create(tags=[f"tag {number}" for number in range(20)])["id"] for _ in range(2)]
    answer = person.call("POST", "/tasks/bulk", json={"action": "delete", "ids": [*ids, *[ID] * 98]})
    assert answer.get_json()["done"] == ids
    assert MOST_VALUES > 1000
