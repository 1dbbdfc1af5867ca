"""Issuer of access tokens, as a service without auth sees it: a server with its public keys."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from app.core.security.keys import SignatureKey, signature_key
from app.core.security.tokens import AccessTokens
from tests.support.origin import Origin, origin

SECRET = "the-issuers-own-secret-0123456789-ABCDEFGH"
PATH = "/.well-known/jwks.json"


class Issuer(Origin):
    """An issuer that publishes the keys of AccessTokens.

    Attributes:
        tokens: signs, and publishes its keys.
        published: what is published instead, if not None.
    """

    def __init__(self, *keys: SignatureKey) -> None:
        super().__init__()
        self.published: str | None = None
        self.rotate(*(keys or [signature_key(SECRET)]))

    def rotate(self, signing: SignatureKey, *accepted: SignatureKey) -> None:
        """Publish other keys, the first of which signs."""
        self.tokens = AccessTokens(signing, timedelta(minutes=5), accepted)

    def body(self, path: str) -> str:  # noqa: ARG002 the same for all
        return json.dumps(self.tokens.jwks()) if self.published is None else self.published

    def token(self, user_id: UUID | None = None) -> str:
        """Return a new access token."""
        return self.tokens.issue(user_id or uuid4(), uuid4(), uuid4(), "user", datetime.now(UTC))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def requests(self) -> int:
        return self.asked.total()


@contextmanager
def issuer(told: Issuer | None = None, port: int = 0) -> Iterator[Issuer]:
    """Run one until the block ends. Arguments are those of `origin`."""
    told = told or Issuer()
    with origin(told, port):
        yield told
