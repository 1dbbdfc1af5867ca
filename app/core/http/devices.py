"""Known devices: a signed cookie of earlier log-ins (OWASP, "device cookies").

Failed log-ins of others must not lock a user out, so each known device has a rate limit of its own. A cookie grants no
access: it only selects the counter of failed log-ins.
"""

import hashlib
import hmac

from flask import Response, request

from app.core.clock import NewId
from app.core.security.signed_ids import SignedIds

PATH = "/api/v1/auth/login"
LIFETIME = 180 * 24 * 3600
"""Lifetime of a device cookie after its latest log-in, in seconds."""


class Devices:
    """Device cookies: issued at log-in, verified at the next one.

    Args:
        new_id: names a device.
        key: what cookies are signed with.
        accepted: keys with which they may have been signed.
    """

    def __init__(self, new_id: NewId, key: bytes, *accepted: bytes) -> None:
        self._new_id = new_id
        self._keys = (key, *accepted)

    def known(self, account: str) -> str | None:
        """Return the requesting device's id, if it has logged in to this account before."""
        device = self._signer(account).verify(request.cookies.get(_name(account), ""))
        return device.hex if device else None

    def remember(self, response: Response, account: str) -> None:
        """Set the device cookie of an account on the response."""
        known = request.cookies.get(_name(account), "")
        signer = self._signer(account)
        device = signer.verify(known) or self._new_id()
        response.set_cookie(
            _name(account),
            signer.sign(device),
            max_age=LIFETIME,
            path=PATH,
            secure=request.is_secure,
            httponly=True,
            samesite="Strict",
        )

    def _signer(self, account: str) -> SignedIds:
        # A cookie of one account is none of another's.
        return SignedIds(*(hmac.digest(key, _bytes(account), "sha256") for key in self._keys))


def _name(account: str) -> str:
    # One cookie for each account: people may share a device. The name tells nobody which account it is for.
    return f"device_{hashlib.sha256(_bytes(account)).hexdigest()[:16]}"


def _bytes(account: str) -> bytes:
    return account.encode(errors="surrogatepass")  # it may be any text: nobody has looked at it yet
