"""Authentication: bearer tokens, session state, and cached responses of protected endpoints."""

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from flask import Response, g, request
from flask_openapi.blueprint import APIBlueprint

from app.core.cache.interface import CacheLookup, UserCache, lookup_counter
from app.core.database import read_position
from app.core.errors import ForbiddenError, UnauthenticatedError
from app.core.http.conditional import revalidated
from app.core.http.middleware import request_context
from app.core.http.single_flight import SharedCall, SingleFlight
from app.core.security.roles import ONLY_ADMINISTRATORS, Role
from app.core.security.tokens import AccessTokens, Claims, InvalidTokenError

LOOKED = "task_manager.look"
"""Where the environment of a request for which the cache was asked before Flask has got it keeps the Look."""


@dataclass(frozen=True)
class Caller:
    user_id: UUID
    session_id: UUID
    role: str


@dataclass(frozen=True)
class CacheMiss:
    """An answer that was not there, to be kept when it has been made."""

    name: str
    version: bytes
    call: SharedCall


class Authenticator:
    """Stands before protected blueprints.

    Args:
        tokens: verifies access tokens.
        cache: knows which sessions have ended, and keeps answers.

    Attributes:
        lookups: counts the looks for answers, by what came of them.
        kept: the endpoints whose answers are kept.
    """

    def __init__(self, tokens: AccessTokens, cache: UserCache) -> None:
        self._tokens = tokens
        self._cache = cache
        self._single_flight = SingleFlight()
        self.kept: set[str] = set()
        self.lookups = lookup_counter()

    def protect(self, blueprint: APIBlueprint, *, kept: frozenset[str] = frozenset()) -> None:
        """Let only who is logged in come to the blueprint, before a body is looked at.

        Args:
            blueprint: whose views know who asks by `principal()`.
            kept: names of its endpoints whose answers depend on nothing but the user's own data and the URL: they are
                kept for a while, and served without the view while the data has not changed.
        """
        endpoints = {f"{blueprint.name}.{name}" for name in kept}
        self.kept |= endpoints

        def is_kept() -> bool:
            # Flask answers OPTIONS at the same endpoint: that is none of the answers.
            return request.endpoint in endpoints and request.method in ("GET", "HEAD")

        @blueprint.before_request
        def come_in() -> Response | None:
            return self._come_in(is_kept())

        @blueprint.after_request
        def go_out(response: Response) -> Response:
            if not is_kept() or response.status_code != HTTPStatus.OK:
                return response
            self._keep(response.get_data())
            response.add_etag()
            revalidated(response)
            return response

        @blueprint.teardown_request
        def finish(_error: BaseException | None) -> None:
            read_position.forget()
            if wanted := _wanted():
                wanted.call.finish(None)  # if it has not been made: nobody shall wait for it

    def claims(self, authorization: str) -> Claims | None:
        """Return what a good bearer token in an `Authorization` header says, or None if there is none in it."""
        try:
            return self._tokens.verify(bearer(authorization))
        except InvalidTokenError:
            return None

    def _come_in(self, kept: bool) -> Response | None:
        authorization = request.headers.get("Authorization", "")
        if not bearer(authorization):
            raise UnauthenticatedError("Log in first: the request needs a bearer token.")
        claims = self.claims(authorization)
        if claims is None:
            raise UnauthenticatedError("The access token is not valid. Refresh it or log in again.")
        user_id, session_id = claims.user_id, claims.session_id
        name = answer_name(request.path, request.query_string.decode("latin-1")) if kept else None
        looked: CacheLookup | None = request.environ.pop(LOOKED, None)
        seen = looked or self._cache.look(user_id, session_id, name)
        if seen.denied:
            raise UnauthenticatedError("The session has ended. Log in again.")
        g.current_caller = Caller(user_id, session_id, claims.role)
        request_context(request.environ).user_id = user_id
        read_position.remember(user_id, seen.position)
        if name is None:
            return None
        if seen.body is not None:
            self.lookups.labels("hit").inc()
            return _answer(seen.body)
        if seen.version is None:
            self.lookups.labels("error").inc()
            return None
        self.lookups.labels("miss").inc()
        # Of many who miss the same answer at once, one makes it and the others wait for it.
        call, first = self._single_flight.join((user_id, name, seen.version))
        if not first and (body := call.wait()) is not None:
            return _answer(body)
        g.wanted = CacheMiss(name, seen.version, call)
        return None

    def _keep(self, body: bytes) -> None:
        if wanted := _wanted():
            self._cache.keep(current_caller().user_id, wanted.version, wanted.name, body)
            wanted.call.finish(body)


def answer_name(path: str, query: str) -> str:
    """Return the name of the answer to a request: what may be long or odd in it is hashed.

    Args:
        query: the bytes of the query string, decoded as Latin-1.
    """
    return hashlib.sha256(f"{path}?{query}".encode()).hexdigest()


def bearer(authorization: str) -> str:
    """Return the token of an `Authorization` header; nothing if it holds something else."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _answer(body: bytes) -> Response:
    return Response(body, mimetype="application/json")


def _wanted() -> CacheMiss | None:
    wanted: CacheMiss | None = g.get("wanted")
    return wanted


def current_caller() -> Caller:
    """Return who asks, in a view of a protected blueprint."""
    who: Caller = g.current_caller
    return who


def require_admin() -> None:
    """Runs after the guard of a blueprint that only administrators may use. Raises ForbiddenError."""
    if current_caller().role != Role.ADMIN:
        raise ForbiddenError(ONLY_ADMINISTRATORS)
