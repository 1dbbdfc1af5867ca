"""Authentication: bearer tokens, session state, and cached responses of protected endpoints."""

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from flask import Response, g, request
from flask_openapi.blueprint import APIBlueprint

from app.core.cache.interface import CacheLookup, UserCache, lookup_counter
from app.core.database import read_position
from app.core.errors import ForbiddenError, UnauthenticatedError, UnavailableError
from app.core.http.conditional import revalidated
from app.core.http.middleware import request_context
from app.core.http.single_flight import SharedCall, SingleFlight
from app.core.security.roles import ONLY_ADMINISTRATORS, Role
from app.core.security.tokens import Claims, InvalidTokenError, KeysUnavailableError, TokenVerifier

CACHE_LOOKUP = "task_manager.cache_lookup"
"""Key of the WSGI environment: the CacheLookup, where ResponseCacheMiddleware has made it before Flask."""


@dataclass(frozen=True)
class Caller:
    user_id: UUID
    session_id: UUID
    role: str


@dataclass(frozen=True)
class CacheMiss:
    """A response that was not cached, to be stored once the view has made it."""

    name: str
    version: bytes
    call: SharedCall


class Authenticator:
    """Authenticates requests to protected blueprints, and serves their cached responses.

    Args:
        tokens: verifies access tokens.
        cache: session states and cached responses.

    Attributes:
        lookups: counter of cache lookups, by result.
        cached_endpoints: the endpoints whose responses are cached.
    """

    def __init__(self, tokens: TokenVerifier, cache: UserCache) -> None:
        self._tokens = tokens
        self._cache = cache
        self._single_flight = SingleFlight()
        self.cached_endpoints: set[str] = set()
        self.lookups = lookup_counter()

    def protect(self, blueprint: APIBlueprint, *, cached: frozenset[str] = frozenset()) -> None:
        """Require a valid access token for a blueprint, checked before the body is read.

        Args:
            blueprint: its views get the caller from `current_caller()`.
            cached: names of its endpoints whose responses depend only on the user's own data and the URL: they are
                cached for a while, and served without the view while the data has not changed.
        """
        endpoints = {f"{blueprint.name}.{name}" for name in cached}
        self.cached_endpoints |= endpoints

        def is_cached() -> bool:
            # Flask answers OPTIONS at the same endpoint: that response is not to be cached.
            return request.endpoint in endpoints and request.method in ("GET", "HEAD")

        @blueprint.before_request
        def authenticate() -> Response | None:
            return self._authenticate(is_cached())

        @blueprint.after_request
        def store_response(response: Response) -> Response:
            if not is_cached() or response.status_code != HTTPStatus.OK:
                return response
            self._store(response.get_data())
            response.add_etag()
            revalidated(response)
            return response

        @blueprint.teardown_request
        def release_waiters(_error: BaseException | None) -> None:
            read_position.clear()
            if miss := _cache_miss():
                miss.call.finish(None)  # if the view has failed: ends the wait of the other requests

    def claims(self, authorization: str) -> Claims | None:
        """Return the claims of a valid bearer token in an `Authorization` header, or None."""
        try:
            return self._tokens.verify(bearer(authorization))
        except InvalidTokenError:
            return None

    def _authenticate(self, cached: bool) -> Response | None:
        authorization = request.headers.get("Authorization", "")
        if not bearer(authorization):
            raise UnauthenticatedError("Log in first: the request needs a bearer token.")
        try:
            claims = self._tokens.verify(bearer(authorization))
        except KeysUnavailableError:
            raise UnavailableError("The access token can't be verified at the moment. Try again soon.") from None
        except InvalidTokenError:
            raise UnauthenticatedError("The access token is not valid. Refresh it or log in again.") from None
        user_id, session_id = claims.user_id, claims.session_id
        name = cache_key(request.path, request.query_string.decode("latin-1")) if cached else None
        looked_up: CacheLookup | None = request.environ.pop(CACHE_LOOKUP, None)
        lookup = looked_up or self._cache.lookup(user_id, session_id, name)
        if lookup.denied:
            raise UnauthenticatedError("The session has ended. Log in again.")
        g.current_caller = Caller(user_id, session_id, claims.role)
        request_context(request.environ).user_id = user_id
        read_position.remember(user_id, lookup.position)
        if name is None:
            return None
        if lookup.body is not None:
            self.lookups.labels("hit").inc()
            return _json_response(lookup.body)
        if lookup.version is None:
            self.lookups.labels("error").inc()
            return None
        self.lookups.labels("miss").inc()
        # Single flight: of concurrent misses of one key, one computes the response and the others wait for it.
        call, first = self._single_flight.join((user_id, name, lookup.version))
        if not first and (body := call.wait()) is not None:
            return _json_response(body)
        g.cache_miss = CacheMiss(name, lookup.version, call)
        return None

    def _store(self, body: bytes) -> None:
        if miss := _cache_miss():
            self._cache.store(current_caller().user_id, miss.version, miss.name, body)
            miss.call.finish(body)


def cache_key(path: str, query: str) -> str:
    """Return the cache key of a request: a hash, as path and query may be long or hold any character.

    Args:
        query: the bytes of the query string, decoded as Latin-1.
    """
    return hashlib.sha256(f"{path}?{query}".encode()).hexdigest()


def bearer(authorization: str) -> str:
    """Return the token of an `Authorization` header; an empty text for any other scheme."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _json_response(body: bytes) -> Response:
    return Response(body, mimetype="application/json")


def _cache_miss() -> CacheMiss | None:
    miss: CacheMiss | None = g.get("cache_miss")
    return miss


def current_caller() -> Caller:
    """Return the authenticated caller, in a view of a protected blueprint."""
    caller: Caller = g.current_caller
    return caller


def require_admin() -> None:
    """Require the administrator role, after authentication. Raises ForbiddenError."""
    if current_caller().role != Role.ADMIN:
        raise ForbiddenError(ONLY_ADMINISTRATORS)
