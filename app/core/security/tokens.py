"""Access tokens: short-lived JWTs that name a user and a session."""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.core.security.keys import SignatureKey

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

ISSUER = "task-manager"
AUDIENCE = "task-manager-api"
TYPE = "at+jwt"
"""The media type of access tokens (RFC 9068, section 2.1): no other kind of token passes for one."""
ALGORITHM = "EdDSA"

LEEWAY = 60
"""Seconds by which the clocks of two servers may differ: a token of a clock that is ahead is good at once."""

REMEMBERED = 10_000
"""Tokens whose signature need not be checked again: about 5 MB."""


class InvalidTokenError(Exception):
    """The token is not one of ours, or its time is over."""


class KeysUnavailableError(InvalidTokenError):
    """The token's key is unknown, and its issuer can't be asked: the token may be valid."""


@dataclass(frozen=True)
class Claims:
    """What a verified access token says."""

    user_id: UUID
    session_id: UUID
    token_id: UUID
    role: str
    expires_at: int


class PublicKeys(Protocol):
    """The issuer's public keys; a dictionary by id will do."""

    def get(self, kid: str, /) -> Ed25519PublicKey | None:
        """Return a key by its id; None if the issuer has none.

        Raises:
            KeysUnavailableError: it is not known whether there is one.
        """


class TokenVerifier:
    """Verifies access tokens.

    Args:
        keys: the issuer's keys.
        collectors: metrics of the keys.
    """

    def __init__(self, keys: PublicKeys, collectors: "tuple[Collector, ...]" = ()) -> None:
        self._keys = keys
        self.collectors = collectors
        self._verified: dict[str, tuple[Claims, Ed25519PublicKey, str]] = {}

    def verify(self, token: str) -> Claims:
        """Verify a token and return its claims.

        What has been verified once is remembered until its time is over, or its key is no longer the issuer's.

        Raises:
            InvalidTokenError: unknown key, wrong signature, algorithm, type, issuer or audience, claim missing, over.
        """
        known = self._verified.get(token)
        if known is not None:
            claims, key, kid = known
            if claims.expires_at > time.time() and self._keys.get(kid) is key:
                return claims
            self._verified.pop(token, None)
        verified = self._verify(token)
        if len(self._verified) >= REMEMBERED:
            # The oldest goes. Another thread may have dropped it, or be adding one, at this very moment: no harm.
            with suppress(StopIteration, RuntimeError):
                self._verified.pop(next(iter(self._verified)), None)
        self._verified[token] = verified
        return verified[0]

    def _verify(self, token: str) -> tuple[Claims, Ed25519PublicKey, str]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != TYPE:
                raise InvalidTokenError("wrong type")
            kid = header.get("kid")
            key = self._keys.get(kid) if isinstance(kid, str) else None
            if key is None:
                raise InvalidTokenError("unknown key")
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "sub", "sid", "jti", "role"]},
            )
            # Without the leeway: a client that is told so too early just refreshes.
            if claims["exp"] <= time.time():
                raise InvalidTokenError("its time is over")
            user_id, session_id, token_id = (UUID(claims[name]) for name in ("sub", "sid", "jti"))
            return Claims(user_id, session_id, token_id, str(claims["role"]), int(claims["exp"])), key, str(kid)
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
            raise InvalidTokenError(str(error)) from error


class AccessTokens(TokenVerifier):
    """Issues and verifies access tokens.

    Args:
        signing: the key that signs.
        lifetime: how long a token is good for.
        accepted: further keys that still verify, for the time of a rotation.
    """

    def __init__(self, signing: SignatureKey, lifetime: timedelta, accepted: tuple[SignatureKey, ...] = ()) -> None:
        keys = {key.kid: key for key in (signing, *accepted)}
        super().__init__({kid: key.public for kid, key in keys.items()})
        self.lifetime = lifetime
        self._signing = signing
        self._kid = signing.kid
        self._published = [key.jwk() for key in keys.values()]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys that verify tokens, for whoever wants to check one (RFC 7517)."""
        return {"keys": self._published}

    def issue(self, user_id: UUID, session_id: UUID, token_id: UUID, role: str, now: datetime) -> str:
        """Return a signed token."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": str(token_id),
            "role": role,
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
        }
        return jwt.encode(claims, self._signing.private, algorithm=ALGORITHM, headers={"typ": TYPE, "kid": self._kid})
