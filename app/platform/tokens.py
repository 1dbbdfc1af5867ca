"""Access tokens: short-lived JWTs that name a user and a session."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import jwt

from app.platform.keys import SigningKey

ISSUER = "task-manager"
AUDIENCE = "task-manager-api"
TYPE = "at+jwt"
"""The media type of access tokens (RFC 9068, section 2.1): no other kind of token passes for one."""
ALGORITHM = "HS256"


class InvalidTokenError(Exception):
    """The token is not one of ours, or its time is over."""


@dataclass(frozen=True)
class Claims:
    """What a verified access token says."""

    user_id: UUID
    session_id: UUID
    token_id: UUID
    expires_at: int


class AccessTokens:
    """Issues and verifies access tokens.

    Args:
        signing: the key that signs.
        accepted: further keys that still verify, for the time of a rotation.
        lifetime: how long a token is good for.
    """

    def __init__(self, signing: SigningKey, lifetime: timedelta, accepted: tuple[SigningKey, ...] = ()) -> None:
        self.lifetime = lifetime
        self._signing = signing
        self._keys = {key.kid: key.secret for key in (signing, *accepted)}

    def issue(self, user_id: UUID, session_id: UUID, token_id: UUID, now: datetime) -> str:
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": str(token_id),
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
        }
        headers = {"typ": TYPE, "kid": self._signing.kid}
        return jwt.encode(claims, self._signing.secret, algorithm=ALGORITHM, headers=headers)

    def verify(self, token: str) -> Claims:
        """Verify a token and return its claims.

        Raises:
            InvalidTokenError: unknown key, wrong signature, algorithm, type, issuer or audience, claim missing, over.
        """
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != TYPE:
                raise InvalidTokenError("wrong type")
            kid = header.get("kid")
            if not isinstance(kid, str) or kid not in self._keys:
                raise InvalidTokenError("unknown key")
            claims = jwt.decode(
                token,
                self._keys[kid],
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "sub", "sid", "jti"]},
            )
            return Claims(UUID(claims["sub"]), UUID(claims["sid"]), UUID(claims["jti"]), int(claims["exp"]))
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
            raise InvalidTokenError(str(error)) from error
