"""Signed identifiers: each with its HMAC, so that nothing secret is stored."""

from uuid import UUID

from app.core.security.signing import Signer


class SignedIds:
    """Signs identifiers, and knows its signatures again.

    Args:
        key: what they are signed with, for this purpose alone.
        accepted: keys with which they may have been signed.
    """

    def __init__(self, key: bytes, *accepted: bytes) -> None:
        self._signer = Signer(key, *accepted)

    def sign(self, identifier: UUID) -> str:
        """Return identifier and signature, in characters that an address can hold."""
        return f"{identifier.hex}.{self._signer.sign_as_text(identifier.bytes)}"

    def verify(self, text: str) -> UUID | None:
        """Return the identifier, or None when the signature is not ours."""
        name, _, signature = text.partition(".")
        try:
            identifier = UUID(hex=name)
        except ValueError:
            return None
        return identifier if self._signer.knows_text(identifier.bytes, signature) else None
