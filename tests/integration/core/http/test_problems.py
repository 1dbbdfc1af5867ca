"""Every error response is a problem (RFC 9457), with the standard headers."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_openapi.openapi import OpenAPI

from app.bootstrap.container import build
from app.bootstrap.http import create_app
from app.bootstrap.schema import migrate
from app.core.http.json_body import LIMIT
from tests.support.api import V1, Person, assert_problem, openapi_document
from tests.support.application import Application
from tests.support.settings import make_settings

JSON = "application/json"


@pytest.fixture
def sqlite_app(sqlite_application: Application) -> Iterator[OpenAPI]:
    """The application on SQLite only: the database makes no difference here."""
    yield sqlite_application.app
    sqlite_application.forget()


@pytest.mark.parametrize(
    "path", ["/nowhere", f"{V1}/nowhere", "/static/nothing.js", "/static/../settings.py", f"{V1}/tasks/"]
)
def test_an_unknown_path_is_a_404(sqlite_app: OpenAPI, path: str) -> None:
    assert_problem(sqlite_app.test_client().get(path), 404)


@pytest.mark.parametrize("method", ["DELETE", "TRACE", "BREW"])
def test_an_unsupported_method_is_a_405_with_allow(sqlite_app: OpenAPI, method: str) -> None:
    response = sqlite_app.test_client().open(f"{V1}/tasks", method=method)
    assert_problem(response, 405)
    assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))


@pytest.mark.parametrize(
    "body", [b"{", b"{'title': 1}", b"\xff\xfe", b"[" * 200_000, b'{"title": "\\ud800"}', b'{"n":' + b"9" * 9000 + b"}"]
)
def test_a_body_that_is_not_json_is_a_400(sqlite_app: OpenAPI, body: bytes) -> None:
    person = Person(sqlite_app.test_client()).register()
    assert_problem(person.call("POST", "/tasks", data=body, content_type=JSON), 400)
    assert_problem(sqlite_app.test_client().post(f"{V1}/auth/login", data=body, content_type=JSON), 400)


@pytest.mark.parametrize("body", [b"[]", b'"{\\"title\\": \\"x\\"}"', b"1", b"null"])
def test_a_body_that_is_no_object_is_a_422(sqlite_app: OpenAPI, body: bytes) -> None:
    person = Person(sqlite_app.test_client()).register()
    assert_problem(person.call("POST", "/tasks", data=body, content_type=JSON), 422)


def test_no_body_at_all_is_a_422(sqlite_app: OpenAPI) -> None:
    assert_problem(sqlite_app.test_client().post(f"{V1}/auth/login"), 422)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
def test_a_body_of_another_type_is_a_415(sqlite_app: OpenAPI, content_type: str | None) -> None:
    response = sqlite_app.test_client().post(f"{V1}/auth/login", data=b'{"a": 1}', content_type=content_type)
    assert_problem(response, 415)


def test_a_body_that_is_too_large_is_a_413(sqlite_app: OpenAPI) -> None:
    body = json.dumps({"email": "x" * LIMIT}).encode()
    assert_problem(sqlite_app.test_client().post(f"{V1}/auth/login", data=body, content_type=JSON), 413)


def test_an_unhandled_error_is_a_500_without_details(sqlite_url: str) -> None:
    def explode() -> str:
        raise RuntimeError("the secret recipe")

    app = create_app(build(make_settings(sqlite_url)))
    app.add_url_rule("/explode", view_func=explode)
    response = app.test_client().get("/explode")
    assert_problem(response, 500)
    assert "recipe" not in response.text


def test_a_pod_that_has_been_ready_stays_ready_while_the_database_is_unavailable(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    parts = build(make_settings(f"sqlite:///{volume / 'tasks.sqlite'}"))
    migrate(parts.database)
    client = create_app(parts).test_client()
    assert client.get("/health/ready").status_code == 200
    parts.database.dispose()
    shutil.rmtree(volume)
    assert_problem(client.post(f"{V1}/auth/login", json={"email": "a@example.com", "password": "some password"}), 503)
    assert client.get("/health/ready").status_code == 200


def test_an_unavailable_database_is_a_503_while_the_process_stays_alive() -> None:
    parts = build(make_settings("postgresql+psycopg2://nobody@127.0.0.1:1/nothing"))
    client = create_app(parts).test_client()
    assert client.get("/health/live").get_json() == {"status": "ok"}
    assert_problem(client.get("/health/ready"), 503)
    response = client.post(f"{V1}/auth/login", json={"email": "a@example.com", "password": "some password"})
    assert_problem(response, 503)
    assert response.headers["Retry-After"] == "2"


@pytest.mark.parametrize("path", ["/", "/nowhere", "/health/live", f"{V1}/users/me", f"{V1}/docs", "/static/app.js"])
def test_every_response_has_security_and_tracing_headers(sqlite_app: OpenAPI, path: str) -> None:
    response = sqlite_app.test_client().get(path, headers={"X-Request-ID": "asked-for-0001"})
    assert response.headers["X-Request-ID"] == "asked-for-0001"
    assert response.headers["X-Served-By"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("offered", ["", "short", "x" * 65, "line\tbreak 123", "<script>alert</script>"])
def test_a_request_identifier_of_the_wrong_shape_is_replaced(sqlite_app: OpenAPI, offered: str) -> None:
    response = sqlite_app.test_client().get("/health/live", headers={"X-Request-ID": offered})
    assert response.headers["X-Request-ID"] != offered
    assert len(response.headers["X-Request-ID"]) == 32


@pytest.mark.parametrize(("hops", "secure"), [(0, False), (1, True)])
def test_forwarded_headers_are_trusted_from_the_configured_number_of_proxies(
    sqlite_url: str, hops: int, secure: bool
) -> None:
    app = create_app(build(make_settings(sqlite_url, trusted_hops=hops)))
    response = app.test_client().get("/health/live", headers={"X-Forwarded-Proto": "https"})
    assert ("Strict-Transport-Security" in response.headers) == secure


def test_behind_two_proxies_the_address_is_the_one_that_the_outer_proxy_saw(sqlite_url: str) -> None:
    """Each proxy appends an address to X-Forwarded-For; X-Forwarded-Proto has one value."""
    app = create_app(build(make_settings(sqlite_url, trusted_hops=2, rate_limit="1 per minute")))
    statuses = []
    for client in ("203.0.113.1", "203.0.113.2", "203.0.113.2"):
        headers = {"X-Forwarded-For": f"192.0.2.99, {client}, 198.51.100.7", "X-Forwarded-Proto": "https"}
        response = app.test_client().get("/api/v1/users/me", headers=headers)
        statuses.append(response.status_code)
        assert "Strict-Transport-Security" in response.headers
    assert statuses == [401, 401, 429]


def test_the_page_is_served_with_its_assets_and_checked_by_etag(sqlite_app: OpenAPI) -> None:
    client = sqlite_app.test_client()
    page = client.get("/")
    assert page.mimetype == "text/html"
    assert client.get("/", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
    assert client.get("/favicon.ico").mimetype == "image/svg+xml"
    assert client.get("/static/app.js").mimetype == "text/javascript"


def test_the_document_and_its_page_name_every_operation(sqlite_app: OpenAPI) -> None:
    from openapi_spec_validator import validate

    client = sqlite_app.test_client()
    document = openapi_document(client)
    validate(document)
    page = client.get(f"{V1}/docs").text
    assert "<script" not in page
    assert "style=" not in page
    # Of requests that no application sees.
    unread = {"414": "TooLong", "431": "HeaderTooLarge"}
    for path, item in document["paths"].items():
        assert path in page
        for operation in item.values():
            assert f'id="{operation["operationId"]}"' in page
            assert unread.keys() <= operation["responses"].keys()
            for status, response in operation["responses"].items():
                problem = f"#/components/responses/{unread.get(status, f'Problem{status}')}"
                assert status < "400" or response["$ref"] == problem
    assert client.get(f"{V1}/docs.css").mimetype == "text/css"


@pytest.mark.parametrize(("service", "path"), [("auth", "/tasks"), ("tasks", "/users/me")])
def test_one_service_alone_has_no_paths_of_another(sqlite_url: str, service: str, path: str) -> None:
    client = create_app(build(make_settings(sqlite_url), services=(service,))).test_client()
    assert_problem(client.get(f"{V1}{path}"), 404)
    assert client.get("/health/live").status_code == 200
