"""Signed identifiers: each with its HMAC, so that nothing secret is stored."""

from uuid import UUID

from app.core.security.signing import Signer


class SignedIds:
    """Signer of identifiers, for tokens that need no row of their own.

    Args:
        key: signs, and verifies too.
        accepted: former keys, which still verify.
    """

    def __init__(self, key: bytes, *accepted: bytes) -> None:
        self._signer = Signer(key, *accepted)

    def sign(self, identifier: UUID) -> str:
        """Return identifier and signature as URL-safe text."""
        return f"{identifier.hex}.{self._signer.sign_as_text(identifier.bytes)}"

    def verify(self, text: str) -> UUID | None:
        """Return the identifier, or None when the signature is invalid."""
        name, _, signature = text.partition(".")
        try:
            identifier = UUID(hex=name)
        except ValueError:
            return None
        return identifier if self._signer.verify_text(identifier.bytes, signature) else None
