"""Who asks: the bearer token of a request, verified and not denied."""

from dataclasses import dataclass
from uuid import UUID

from flask import g, request

from app.platform.errors import ForbiddenError, UnauthenticatedError
from app.platform.tokens import AccessTokens, InvalidTokenError
from app.services.auth.model import Role
from app.services.auth.ports import Denylist


@dataclass(frozen=True)
class Principal:
    user_id: UUID
    session_id: UUID
    role: str


class Guard:
    """Runs before every request of a protected blueprint, before its body is looked at."""

    def __init__(self, tokens: AccessTokens, denylist: Denylist) -> None:
        self._tokens = tokens
        self._denylist = denylist

    def __call__(self) -> None:
        """Note who asks. Raises UnauthenticatedError."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthenticatedError("Log in first: the request needs a bearer token.")
        try:
            claims = self._tokens.verify(token.strip())
        except InvalidTokenError:
            raise UnauthenticatedError("The access token is not valid. Refresh it or log in again.") from None
        if self._denylist.denied(claims.user_id, claims.session_id):
            raise UnauthenticatedError("The session has ended. Log in again.")
        g.principal = Principal(claims.user_id, claims.session_id, claims.role)


def principal() -> Principal:
    """Return who asks, in a view of a protected blueprint."""
    who: Principal = g.principal
    return who


def require_admin() -> None:
    """Runs after the guard of a blueprint that only administrators may use. Raises ForbiddenError."""
    if principal().role != Role.ADMIN:
        raise ForbiddenError("Only administrators may do this.")
