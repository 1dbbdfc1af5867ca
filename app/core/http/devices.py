"""Known devices: a signed cookie of earlier log-ins (OWASP, "device cookies").

Somebody else's wrong passwords must not lock a person out, so these devices are counted each for itself. A cookie lets
nobody in: it only decides by what failed log-ins are counted.
"""

import hashlib
import hmac

from flask import Response, request

from app.core.clock import NewId
from app.core.security.signed_ids import SignedIds

PATH = "/api/v1/auth/login"
LIFETIME = 180 * 24 * 3600
"""Seconds after its latest log-in for which a device is known."""


class Devices:
    """Marks devices, and knows them again.

    Args:
        new_id: names a device.
        key: what cookies are signed with.
        accepted: keys with which they may have been signed.
    """

    def __init__(self, new_id: NewId, key: bytes, *accepted: bytes) -> None:
        self._new_id = new_id
        self._keys = (key, *accepted)

    def known(self, account: str) -> str | None:
        """Return the name of the device that asks, if it has logged in to the account of this e-mail address."""
        device = self._signer(account).verify(request.cookies.get(_name(account), ""))
        return device.hex if device else None

    def remember(self, response: Response, account: str) -> None:
        """Let the device that gets the response be known as one of the account."""
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
