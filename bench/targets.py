"""What is served: a bare Flask, a naive endpoint, and our application with and without its kept answers."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import jwt
import redis
from flask import Flask, Response, request

from app.bootstrap.container import assemble, build
from app.bootstrap.http import application, create_app
from app.core.cache.interface import CacheLookup
from app.core.cache.rate_counters import Counted, Rate
from app.core.cache.redis import RedisUserCache
from app.core.http.authentication import Authenticator
from app.core.settings import load_settings

NAIVE_PATH = "/naive"
PAGE_KEY = "bench:page"
"""Where the bench leaves the bytes of the list for the naive endpoint."""


def hello() -> Flask:
    """Return the least that Flask can serve."""
    app = Flask("hello")

    @app.get("/")
    def index() -> str:
        return "hello"

    return app


def naive() -> Flask:
    """Return an endpoint that checks a token (HMAC, the cheapest) and reads one key of Redis, and nothing else."""
    app = Flask("naive")
    client = redis.Redis.from_url(os.environ["APP_REDIS_URL"])
    secret = os.environ["APP_SECRET_KEY"]

    @app.get(NAIVE_PATH)
    def page() -> Response:
        jwt.decode(request.headers["Authorization"].removeprefix("Bearer "), secret, algorithms=["HS256"])
        return Response(client.get(PAGE_KEY), mimetype="application/json")

    return app


def whole() -> Flask:
    """Return our application with everything on."""
    return application()


def closing() -> Flask:
    """Return our application, which announces the end of its connections itself while the pod drains: for servers that
    have no hook for it."""
    app, file = application(), load_settings().drain_file
    inside = app.wsgi_app

    def announce(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            end = [("Connection", "close")] if file.exists() else []
            return start_response(status, headers + end, *fault)

        return inside(environ, start)

    app.wsgi_app = announce  # type: ignore[method-assign]
    return app


class NoResponses:
    """A cache of session state and request counts, without responses."""

    def __init__(self, cache: RedisUserCache) -> None:
        self._cache = cache

    def count_and_lookup(
        self, rate: Rate, user_id: UUID, session_id: UUID, name: str
    ) -> tuple[Counted, CacheLookup | None] | None:
        seen = self._cache.count_and_lookup(rate, user_id, session_id, name)
        return seen and (seen[0], seen[1] and replace(seen[1], version=None, body=None))

    def lookup(self, user_id: UUID, session_id: UUID, name: str | None) -> CacheLookup:  # noqa: ARG002 nothing is cached
        return replace(self._cache.lookup(user_id, session_id, None), version=None, body=None)

    def store(self, user_id: UUID, version: bytes, name: str, body: bytes) -> None:
        """Store nothing."""

    def deny(self, user_id: UUID, session_id: UUID) -> None:
        self._cache.deny(user_id, session_id)


def uncached() -> Flask:
    """Return our application, without the response cache."""
    parts = build(load_settings())
    cache = NoResponses(cast("RedisUserCache", parts.platform.counting))  # the application has no such switch
    platform = replace(parts.platform, authenticator=Authenticator(parts.platform.tokens, cache), counting=cache)
    return create_app(assemble(platform))
