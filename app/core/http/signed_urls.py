"""Signed, expiring URLs of files, which need no log-in."""

from uuid import UUID

from app.core.clock import Clock
from app.core.security.signing import Signer

PREFIX = "/api/v1/files"
HOUR = 3600


class SignedUrls:
    """Signer of file URLs that expire.

    Args:
        clock: the time.
        service: the service that serves the files, where each has a process of its own: a gateway routes by it.
        key: signs, and verifies too.
        accepted: keys with which they may have been signed.
    """

    def __init__(self, clock: Clock, service: str | None, key: bytes, *accepted: bytes) -> None:
        self._clock = clock
        self._service = f"service={service}&" if service else ""
        self._signer = Signer(key, *accepted)

    def url_for(self, key: UUID) -> str:
        """Return the address of a file. It is good for one to two hours, and the same for the whole of an hour: so that
        an answer that holds it, and a browser that has fetched it, need not take it for a new one each time."""
        expires = (int(self._clock().timestamp()) // HOUR + 2) * HOUR
        signature = self._signer.sign_as_text(_message(key, expires))
        return f"{PREFIX}/{key}?{self._service}expires={expires}&signature={signature}"

    def verify(self, key: UUID, expires: int, signature: str) -> bool:
        """Say whether an address is ours and still good."""
        known = self._signer.verify_text(_message(key, expires), signature)
        return known and expires > self._clock().timestamp()


def _message(key: UUID, expires: int) -> bytes:
    return f"{key.hex}\n{expires}".encode()
