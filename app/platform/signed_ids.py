"""Identifiers that only who was given them can show: each with its HMAC, so that nothing secret has to be stored."""

import base64
import hmac
from uuid import UUID


class SignedIds:
    """Signs identifiers, and knows its signatures again.

    Args:
        key: what they are signed with, for this purpose alone.
        accepted: keys with which they may have been signed.
    """

    def __init__(self, key: bytes, *accepted: bytes) -> None:
        self._keys = (key, *accepted)

    def sign(self, identifier: UUID) -> str:
        """Return identifier and signature, in characters that an address can hold."""
        return f"{identifier.hex}.{_signature(self._keys[0], identifier)}"

    def verify(self, text: str) -> UUID | None:
        """Return the identifier, or None when the signature is not ours; in the same time for any other signature."""
        name, _, signature = text.partition(".")
        try:
            identifier = UUID(hex=name)
        except ValueError:
            return None
        # Every key is tried, also after one that fits.
        fits = [hmac.compare_digest(_signature(key, identifier).encode(), signature.encode()) for key in self._keys]
        return identifier if any(fits) else None


def _signature(key: bytes, identifier: UUID) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, identifier.bytes, "sha256")).decode().rstrip("=")
