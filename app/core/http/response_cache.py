"""Response cache in front of Flask.

Most of a list's cost is Flask, its extensions and a second round trip to Redis. A cached response needs none of them:
one round trip counts the request and looks up session and response. Every other request goes on to Flask, with the
count and the lookup in its environment, so that neither is repeated.
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

FLASK_ONLY_HEADER = "HTTP_IF_MATCH"
"""The one precondition left to Flask: it may end in 412. No response has a Last-Modified to compare dates with."""

HASH_CHUNK = 2000
"""Bytes hashed at a time: with more, hashlib releases the GIL, and getting it back takes longer than the hash."""


class ResponseCacheMiddleware:
    """WSGI middleware between the request middleware and Flask: answers cache hits.

    Args:
        application: handles every other request.
        routes: paths whose responses are cached; none has parameters in it.
        authenticator: verifies the bearer token.
        limits: names the rate limit that the request counts against.
        cache: counts the request and looks up its response, in one round trip.
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
        if path not in self._routes or environ["REQUEST_METHOD"] != "GET" or FLASK_ONLY_HEADER in environ:
            return self._application(environ, start_response)
        claims = self._authenticator.claims(environ.get("HTTP_AUTHORIZATION", ""))
        if claims is None:
            return self._application(environ, start_response)
        rate = self._limits.of_user(claims.user_id)
        name = cache_key(path, environ.get("QUERY_STRING", ""))
        result = self._cache.count_and_lookup(rate, claims.user_id, claims.session_id, name)
        if result is None:
            return self._application(environ, start_response)
        counted, lookup = result
        if lookup is None or lookup.body is None or not counted.within(rate):
            environ[AHEAD] = rate, counted
            environ[CACHE_LOOKUP] = lookup
            return self._application(environ, start_response)
        self._hits.inc()
        context = request_context(environ)
        context.route, context.user_id = path, claims.user_id
        etag = quote_etag(_digest(lookup.body))
        headers = [("ETag", etag), ("Cache-Control", OWN_USER), *self._limits.headers(rate, counted)]
        if "HTTP_IF_NONE_MATCH" in environ and not is_resource_modified(environ, etag):
            start_response(_status_line(HTTPStatus.NOT_MODIFIED), headers)
            return []
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(lookup.body)))]
        start_response(_status_line(HTTPStatus.OK), headers)
        return [lookup.body]


def _digest(body: bytes) -> str:
    """Return the digest that Flask uses as ETag: SHA-1, in hexadecimal."""
    digest = hashlib.sha1(usedforsecurity=False)
    for start in range(0, len(body), HASH_CHUNK):
        digest.update(body[start : start + HASH_CHUNK])
    return digest.hexdigest()


def _status_line(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase.upper()}"
