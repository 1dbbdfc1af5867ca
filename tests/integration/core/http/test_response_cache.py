"""ResponseCacheMiddleware: its responses equal those of Flask alone, in one round trip to Redis."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import structlog
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from redis.connection import Connection

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.core.errors import UnavailableError
from tests.support.api import METRICS, V1, Person, assert_problem
from tests.support.settings import make_settings

OWN = {"ratelimit-remaining", "ratelimit-reset"}
"""Headers that differ when the same request is repeated."""

EXAMPLES = int(os.environ.get("KEPT_EXAMPLES", "80"))
"""Number of generated requests sent both ways; 1,000 take some minutes."""

IDENTIFIER = "a-request-of-the-test"


@dataclass
class Ways:
    """The application with and without ResponseCacheMiddleware, on the same data, cache and counters."""

    before: FlaskClient
    flask: FlaskClient
    person: Person
    ended: Person


@pytest.fixture
def parts(sqlite_url: str, redis: Any) -> Iterator[Container]:
    built = build(make_settings(sqlite_url, redis_url=redis.connection_url, rate_limit="900000 per day"))
    yield built
    built.database.dispose()


@pytest.fixture
def ways(parts: Container) -> Ways:
    before = create_app(parts).test_client()
    without = build(parts.settings)
    without = replace(without, platform=replace(without.platform, counting=None))
    flask = create_app(without).test_client()
    person = Person(flask).register()
    person.create(title="First", tags=["one"], description="more than is hashed at a time " * 200)
    ended = Person(flask, person.email).login()
    ended.call("POST", "/auth/logout")
    return Ways(before, flask, person, ended)


@dataclass
class Outcome:
    status: str
    headers: dict[str, list[str]]
    body: Any
    left: int | None
    logged: list[structlog.typing.EventDict]


def send(client: FlaskClient, **request: Any) -> Outcome:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logged:
        answer = client.open(**request)
        body = answer.data
    names = {name.lower() for name, _ in answer.headers} - OWN
    left = answer.headers.get("RateLimit-Remaining", type=int)
    for line in logged:
        line.pop("duration_ms", None)
    return Outcome(answer.status, {name: sorted(answer.headers.getlist(name)) for name in names}, body, left, logged)


def counts(client: FlaskClient) -> dict[Any, float]:
    """Return the request counts in the metrics, without durations."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(client.get("/metrics", base_url=METRICS).text)
        for sample in family.samples
        if sample.name in {"flask_http_request_total", "flask_http_request_duration_seconds_count"}
    }


TAGS = ("mine", "weak", "*", '"other"', "", "no tag", 'W/"x", "y"', '"half')
headers = st.fixed_dictionaries(
    {},
    optional={
        "If-None-Match": st.sampled_from(TAGS),
        "If-Match": st.sampled_from(TAGS),
        "If-Modified-Since": st.just("Tue, 24 Nov 2065 12:00:00 GMT"),
        "Range": st.sampled_from(["bytes=0-10", "bytes=x"]),
        "Accept": st.sampled_from(["text/html", "application/json", "*/*"]),
        "Accept-Encoding": st.just("gzip"),
        "Origin": st.just("https://example.com"),
        "Host": st.sampled_from(["example.com", "example.com:81", "[::1]", "a b", "a/b"]),
        "Content-Type": st.sampled_from(["application/json", "text/plain"]),
        "X-Forwarded-Proto": st.just("https"),
        "X-Forwarded-For": st.just("192.0.2.7"),
    },
)
credentials = st.sampled_from(
    ["Bearer {}"] * 8
    + ["bearer {}", "BEARER  {} ", "Bearer\t{}", "Basic {}", "{}", "Bearer", "Bearer {}x", "", "ended", None]
)
queries = st.one_of(
    st.sampled_from(["", "limit=1", "status=todo", "status=nonsense", "q=First", "tag=one", "cursor=x", "&", "%"]),
    st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=12),
)
paths = st.sampled_from(["/tasks", "/users/me", "/tasks/tags", "/tasks/", "/tasks/bulk", "/nothing"])
methods = st.sampled_from(["GET"] * 6 + ["HEAD", "OPTIONS", "PUT", "BREW"])


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    method=methods,
    path=paths,
    query=queries,
    given_headers=headers,
    credential=credentials,
    changed=st.booleans(),
    secure=st.booleans(),
    body=st.sampled_from([b"", b"{", b"{}"]),
)
@example("GET", "/tasks", "", {}, "Bearer {}", False, False, b"")
@example("GET", "/tasks", "", {"If-None-Match": "mine"}, "Bearer {}", False, True, b"")
@example("GET", "/tasks", "", {"If-None-Match": "mine"}, "Bearer {}", True, False, b"")
@example("GET", "/tasks", "", {"If-Match": '"other"'}, "Bearer {}", False, False, b"")
@example("GET", "/tasks", "", {"Host": "a b"}, "Bearer {}", False, False, b"")
@example("GET", "/tasks", "limit=1&q=%FF", {"Range": "bytes=0-10"}, "Bearer {}", False, False, b"{")
@example("HEAD", "/tasks", "", {"If-None-Match": "mine"}, "Bearer {}", False, False, b"")
@example("GET", "/users/me", "", {}, "ended", False, False, b"")
def test_both_ways_give_equal_responses_logs_and_metrics(
    ways: Ways,
    method: str,
    path: str,
    query: str,
    given_headers: dict[str, str],
    credential: str | None,
    changed: bool,
    secure: bool,
    body: bytes,
) -> None:
    token = ways.person.access_token
    cached = ways.person.call("GET", f"{path}?{query}")  # fills the cache, if the response can be cached
    mine = cached.headers.get("ETag", "")
    values = {"mine": mine, "weak": f"W/{mine}"}
    sent = {name: values.get(value, value) for name, value in given_headers.items()}
    sent["X-Request-ID"] = IDENTIFIER
    if credential == "ended":
        sent["Authorization"] = f"Bearer {ways.ended.access_token}"
    elif credential is not None:
        sent["Authorization"] = credential.format(token)
    if changed:
        ways.person.create()
    request = {
        "method": method,
        "path": V1 + path,
        "query_string": query,
        "headers": sent,
        "data": body,
        "base_url": "https://localhost" if secure else "http://localhost",
    }
    started = counts(ways.before), counts(ways.flask)
    by_flask = send(ways.flask, **request)
    before = send(ways.before, **request)
    # Both count in one counter.
    if by_flask.left is not None:
        assert before.left == by_flask.left - 1
    before.left = by_flask.left
    assert before == by_flask
    grown = [
        {name: value - earlier.get(name, 0) for name, value in counts(client).items() if value != earlier.get(name, 0)}
        for client, earlier in zip((ways.before, ways.flask), started, strict=True)
    ]
    assert grown[0] == grown[1]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The commands sent to Redis."""
    sent: list[Any] = []
    send_packed: Any = Connection.send_packed_command

    def count(connection: Any, command: Any, *more: Any, **options: Any) -> Any:
        sent.append(command)
        return send_packed(connection, command, *more, **options)

    monkeypatch.setattr(Connection, "send_packed_command", count)
    return sent


def test_a_cache_hit_costs_one_round_trip_and_any_other_request_two(ways: Ways, commands: list[Any]) -> None:
    person = replace(ways.person, client=ways.before)
    person.call("GET", "/tasks")  # loads the scripts into Redis
    task = person.create()["id"]
    for path, trips in (("/tasks", 2), ("/tasks", 1), (f"/tasks/{task}", 2), ("/tasks?limit=x", 1), ("/jobs", 2)):
        commands.clear()
        person.call("GET", path)
        assert len(commands) == trips, (path, commands)


def test_an_unavailable_database_is_a_503_both_ways(ways: Ways, redis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty Redis has no session states, so the database is needed."""

    def away(*_arguments: Any) -> bool:
        raise UnavailableError("away")

    monkeypatch.setattr("app.auth.session_states.SessionStates.ended", away)
    for client in (ways.flask, ways.before):
        with Redis.from_url(redis.connection_url) as emptied:
            emptied.flushall()
        assert_problem(replace(ways.person, client=client).call("GET", "/tasks"), 503)


def test_over_the_rate_limit_no_cached_response_is_served(sqlite_url: str, redis: Any) -> None:
    parts = build(make_settings(sqlite_url, redis_url=redis.connection_url, rate_limit="5 per day"))
    person = Person(create_app(parts).test_client()).register()
    statuses = [person.call("GET", "/tasks").status_code for _ in range(7)]
    parts.database.dispose()
    assert statuses == [200] * 5 + [429] * 2
