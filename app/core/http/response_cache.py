"""Response cache in front of Flask.

What a list costs is mostly Flask, the extensions and a second round trip to Redis. None of them is needed for an answer
that is kept: one round trip counts the request and looks for session and answer. Everything else goes on to Flask, with
what has been learnt, so that nothing is counted or asked for twice.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable
from http import HTTPStatus
from typing import Any

from werkzeug.http import is_resource_modified, quote_etag

from app.core.cache.interface import CountingCache
from app.core.cache.rate_counters import AHEAD
from app.core.http.authentication import CACHE_LOOKUP, Authenticator, cache_key
from app.core.http.cache_control import OWN_USER
from app.core.http.middleware import Application, request_context
from app.core.http.rate_limits import Limits

HANDED_ON = "HTTP_IF_MATCH"
"""The one condition that Flask has to judge: it may end in 412. There is no Last-Modified to compare a date with."""

PIECE = 2000
"""Bytes that are hashed at a time: with more, hashlib lets another thread run meanwhile, and waiting for it to give the
interpreter back takes longer than the hash."""


class ResponseCacheMiddleware:
    """Stands between the request middleware and the application.

    Args:
        application: gets what can't be answered here.
        routes: paths whose answers are kept; none has parameters in it.
        guard: knows who asks.
        limits: says what has to be counted.
        cache: counts and looks.
    """

    def __init__(
        self,
        application: Application,
        routes: Collection[str],
        authenticator: Authenticator,
        limits: Limits,
        cache: CountingCache,
    ) -> None:
        self._application = application
        self._routes = frozenset(routes)
        self._authenticator = authenticator
        self._limits = limits
        self._cache = cache
        self._hits = authenticator.lookups.labels("hit")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path not in self._routes or environ["REQUEST_METHOD"] != "GET" or HANDED_ON in environ:
            return self._application(environ, start_response)
        claims = self._authenticator.claims(environ.get("HTTP_AUTHORIZATION", ""))
        if claims is None:
            return self._application(environ, start_response)
        rate = self._limits.of_user(claims.user_id)
        name = cache_key(path, environ.get("QUERY_STRING", ""))
        seen = self._cache.count_and_lookup(rate, claims.user_id, claims.session_id, name)
        if seen is None:
            return self._application(environ, start_response)
        counted, look = seen
        if look is None or look.body is None or not counted.within(rate):
            environ[AHEAD] = rate, counted
            environ[CACHE_LOOKUP] = look
            return self._application(environ, start_response)
        self._hits.inc()
        passing = request_context(environ)
        passing.route, passing.user_id = path, claims.user_id
        etag = quote_etag(_digest(look.body))
        headers = [("ETag", etag), ("Cache-Control", OWN_USER), *self._limits.headers(rate, counted)]
        if "HTTP_IF_NONE_MATCH" in environ and not is_resource_modified(environ, etag):
            start_response(_line(HTTPStatus.NOT_MODIFIED), headers)
            return []
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(look.body)))]
        start_response(_line(HTTPStatus.OK), headers)
        return [look.body]


def _digest(body: bytes) -> str:
    """Return what Flask makes an ETag of."""
    digest = hashlib.sha1(usedforsecurity=False)
    for start in range(0, len(body), PIECE):
        digest.update(body[start : start + PIECE])
    return digest.hexdigest()


def _line(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase.upper()}"
