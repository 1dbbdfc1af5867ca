"""Keys for each purpose, derived from the one secret, so that no key serves two ends."""

import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True)
class SigningKey:
    """A key and its public name."""

    kid: str
    secret: bytes


def derive(secret: str, purpose: str) -> SigningKey:
    """Derive the key for one purpose (HMAC-SHA256 as a key derivation function, NIST SP 800-108).

    Args:
        secret: the deployment's APP_SECRET_KEY, at least 32 bytes.
        purpose: what the key is for, for example `access-token`.
    """
    key = hmac.digest(secret.encode(), purpose.encode(), "sha256")
    return SigningKey(kid=hashlib.sha256(key).hexdigest()[:8], secret=key)
