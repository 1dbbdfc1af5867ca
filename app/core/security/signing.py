"""HMAC signatures with key rotation: made with the first key, accepted of any."""

import hmac

from app.core.security import base64url

SIZE = 32
"""Bytes of an HMAC-SHA256."""


class Signer:
    """Signs, and knows its signatures again.

    Args:
        key: what is signed with, for one purpose alone.
        accepted: keys that may have been signed with.
        size: bytes of the HMAC that are kept; of n bits, forging one takes 2^n tries.
    """

    def __init__(self, key: bytes, *accepted: bytes, size: int = SIZE) -> None:
        self._keys = (key, *accepted)
        self._size = size

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        return self._signature(self._keys[0], message)

    def sign_as_text(self, message: bytes) -> str:
        """Return the signature in characters that an address can hold."""
        return base64url.encode(self.sign(message))

    def knows(self, message: bytes, signature: bytes) -> bool:
        """Say whether a signature is ours, in the same time for any other one."""
        # Every key is tried, also after one that fits.
        fits = [hmac.compare_digest(self._signature(key, message), signature) for key in self._keys]
        return any(fits)

    def knows_text(self, message: bytes, signature: str) -> bool:
        """Say whether what `sign_as_text` may have made is ours."""
        try:
            return self.knows(message, base64url.decode(signature))
        except ValueError:
            return False

    def _signature(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, "sha256")[: self._size]
