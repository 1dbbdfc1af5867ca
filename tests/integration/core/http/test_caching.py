"""What every answer says of being kept, and that the rules of the edge say the same."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Response
from flask_openapi.openapi import OpenAPI
from werkzeug.test import TestResponse

from app.bootstrap.container import build
from app.bootstrap.http import create_app
from app.core.http import cache_control
from app.core.http.front_end import STATIC, digest
from infra.components.edge.cache_rules import RULES, rule_of
from tests.support.api import Person
from tests.support.settings import make_settings

TABLE = {
    cache_control.NOBODY,
    cache_control.OWN_USER,
    cache_control.SIGNED_ADDRESS,
    cache_control.FOR_EVER,
    cache_control.public(),
    "public, max-age=210, s-maxage=60, stale-while-revalidate=30",  # the public keys
}
STATIC_RULE = "/static/v-<asked>/<path:name>"
ASSET = f"/static/v-{digest(STATIC)}/app.js"
NOBODYS = "00000000-0000-4000-8000-000000000000"
OTHER_RELEASE = f"/static/v-{'0' * 16}/app.js"


@dataclass(frozen=True)
class Said:
    """What an answer says to shared caches, in seconds; 0 where it says nothing of it."""

    keep: int
    stale: int

    @classmethod
    def of(cls, answer: TestResponse) -> "Said":
        control = answer.headers["Cache-Control"]
        if "public" not in control:
            return cls(0, 0)
        found = {name: int(value) for name, value in re.findall(r"([a-z-]+)=(\d+)", control)}
        return cls(found.get("s-maxage", found["max-age"]), found.get("stale-while-revalidate", 0))


def paths(app: OpenAPI) -> Iterator[str]:
    """Yield a path for every route, with what a stranger would put into it."""
    # Last, what ends the session of who asks.
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: "/auth/" in rule.rule):
        yield ASSET if rule.rule == STATIC_RULE else re.sub(r"<[\w:]+>", NOBODYS, rule.rule)


def test_every_answer_says_one_of_few_things_and_nothing_to_a_user_is_public(app: OpenAPI, person: Person) -> None:
    token = {"Authorization": f"Bearer {person.access_token}"}
    shared = set()
    for path in paths(app):
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
            for headers in ({}, token, {"Authorization": "Basic bm9ib2R5"}):
                answer = person.client.open(path, method=method, headers=headers)
                said = answer.headers["Cache-Control"]
                assert said in TABLE, (method, path, said)
                if said.startswith("public"):
                    assert not headers, (method, path, said)
                    assert not {"Set-Cookie", *cache_control.COUNTS} & set(answer.headers.keys()), path
                    shared.add(path)
    assert shared == {
        *("/", "/favicon.ico", ASSET),
        *("/.well-known/jwks.json", "/api/v1/auth/jwks.json"),
        *("/api/v1/openapi.json", "/api/v1/docs", "/api/v1/docs.css"),
    }


def test_the_edge_keeps_what_the_application_calls_public_for_as_long_as_it_says(app: OpenAPI) -> None:
    client = app.test_client()
    used = set()
    for path in paths(app):
        said, rule = Said.of(client.get(path)), rule_of(path)
        if said.keep:
            assert rule is not None, f"{path} is public and no rule lets the edge keep it"
            assert (said.keep, said.stale) == (rule.keep, rule.stale), path
            used.add(rule)
    assert used == set(RULES), "a rule for what the application keeps to itself"


def test_the_page_names_assets_that_may_be_kept_for_ever(app: OpenAPI) -> None:
    client = app.test_client()
    named = set(re.findall(r'"(/static/[^"]+)"', client.get("/").text))
    assert len(named) > 10
    assert {client.get(path).headers["Cache-Control"] for path in named} == {cache_control.FOR_EVER}
    assert client.get(ASSET, headers={"If-None-Match": client.get(ASSET).headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", [OTHER_RELEASE, "/static/app.js"])
def test_a_file_under_a_name_that_is_not_its_own_is_given_and_kept_by_nobody_else(app: OpenAPI, path: str) -> None:
    client = app.test_client()
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, cache_control.OWN_USER)
    assert answer.data == client.get(ASSET).data


def test_the_name_of_the_assets_changes_with_any_of_them(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "a.js").write_text("1")
    seen = {digest(tmp_path)}
    (tmp_path / "a.js").write_text("2")
    seen.add(digest(tmp_path))
    (tmp_path / "a.js").rename(tmp_path / "b.js")
    seen.add(digest(tmp_path))
    (tmp_path / "b.js").rename(tmp_path / "pages" / "b.js")
    assert len(seen | {digest(tmp_path)}) == 4


def test_where_assets_are_worked_on_they_are_asked_for_again_each_time(sqlite_url: str) -> None:
    client = create_app(build(make_settings(sqlite_url, environment="development"))).test_client()
    assert '"/static/app.js"' in client.get("/").text
    assert client.get("/static/app.js").headers["Cache-Control"] == cache_control.OWN_USER


def test_an_answer_that_sets_a_cookie_is_not_public_whatever_it_says(app: OpenAPI, sqlite_url: str) -> None:
    app = create_app(build(make_settings(sqlite_url)))

    @app.get("/cookie")
    def cookie() -> Response:
        response = Response("for you", headers={"Cache-Control": cache_control.public()})
        response.set_cookie("who", "you")
        return response

    assert app.test_client().get("/cookie").headers["Cache-Control"] == cache_control.OWN_USER


def test_who_has_a_public_answer_already_gets_304_without_a_body(app: OpenAPI) -> None:
    client = app.test_client()
    for path in ("/", "/api/v1/openapi.json", "/api/v1/docs", "/.well-known/jwks.json"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b""), path
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
