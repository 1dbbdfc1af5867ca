"""Key derivation: one key for each purpose, from one secret."""

import hashlib
import hmac
import json
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.core.security import base64url


@dataclass(frozen=True)
class SignatureKey:
    """A key pair: whoever knows the public half can check what the private half has signed, and can sign nothing."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> Ed25519PublicKey:
        return self.private.public_key()

    @property
    def kid(self) -> str:
        """Its public name: the thumbprint of the public half (RFC 7638)."""
        return base64url.encode(hashlib.sha256(json.dumps(self._members(), separators=(",", ":")).encode()).digest())

    def jwk(self) -> dict[str, str]:
        """Return the public half as a JSON Web Key (RFC 8037)."""
        return {**self._members(), "kid": self.kid, "use": "sig", "alg": "EdDSA"}

    def _members(self) -> dict[str, str]:
        # in the order that the thumbprint wants
        x = self.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": base64url.encode(x)}


def signature_key(secret: str) -> SignatureKey:
    """Derive the key pair that signs access tokens, so that every process of a deployment has the same."""
    return SignatureKey(Ed25519PrivateKey.from_private_bytes(derive(secret, "access-token-ed25519")))


def derive(secret: str, purpose: str) -> bytes:
    """Derive the key for one purpose (HMAC-SHA256 as a key derivation function, NIST SP 800-108).

    Args:
        secret: the deployment's APP_SECRET_KEY, at least 32 bytes.
        purpose: what the key is for, for example `cursor`.

    Returns:
        32 bytes.
    """
    return hmac.digest(secret.encode(), purpose.encode(), "sha256")
