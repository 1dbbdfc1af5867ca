"""HMAC signatures with key rotation: made with the first key, accepted of any."""

import hmac

from app.core.security import base64url

SIZE = 32
"""Bytes of an HMAC-SHA256."""


class Signer:
    """HMAC-SHA256 signer for one purpose.

    Args:
        key: signs, and verifies too.
        accepted: former keys, which still verify.
        size: bytes of the HMAC that are kept; of n bits, forging one takes 2^n tries.
    """

    def __init__(self, key: bytes, *accepted: bytes, size: int = SIZE) -> None:
        self._keys = (key, *accepted)
        self._size = size

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        return self._signature(self._keys[0], message)

    def sign_as_text(self, message: bytes) -> str:
        """Return the signature as URL-safe text."""
        return base64url.encode(self.sign(message))

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Tell whether a signature is one of these keys', in constant time."""
        # Every key is tried, also after one that fits.
        fits = [hmac.compare_digest(self._signature(key, message), signature) for key in self._keys]
        return any(fits)

    def verify_text(self, message: bytes, signature: str) -> bool:
        """Tell whether a signature as text, as `sign_as_text` returns it, is valid."""
        try:
            return self.verify(message, base64url.decode(signature))
        except ValueError:
            return False

    def _signature(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, "sha256")[: self._size]
