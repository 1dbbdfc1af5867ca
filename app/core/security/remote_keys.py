"""Public keys of a remote issuer of tokens (a JSON Web Key Set at a URL), cached."""

import time
from collections.abc import Callable, Mapping
from threading import Lock, Thread

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.core.security.tokens import KeysUnavailableError

LIFETIME = 300.0
"""Seconds after which the keys are fetched again: a key that was withdrawn is accepted for so long."""

COOLDOWN = 10.0
"""Least seconds between two fetches, whatever came of the first."""

TIMEOUT = 2.0
"""Seconds to wait for the issuer: to connect, and for each part of its response."""

log = structlog.get_logger(__name__)


class RemoteKeys:
    """The issuer's keys.

    A known key is returned at once: keys older than `lifetime` are fetched again in the background, and stay while the
    issuer is away. For an unknown one the issuer is asked, if the cooldown is over. PyJWKClient fetches; its own cache
    drops keys that expire, lets all callers wait while it fetches, and has no cooldown after a failure.

    Args:
        url: of the key set; http or https, redirects are not followed.
        lifetime, cooldown, timeout: in seconds.
        clock: monotonic time.
    """

    def __init__(
        self,
        url: str,
        lifetime: float = LIFETIME,
        cooldown: float = COOLDOWN,
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=timeout)
        self._lifetime = lifetime
        self._cooldown = cooldown
        self._clock = clock
        self._keys: Mapping[str, Ed25519PublicKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching = Lock()

    def get(self, kid: str, /) -> Ed25519PublicKey | None:
        """Return a key by its id; None if the issuer has none.

        Raises:
            KeysUnavailableError: the issuer could not be asked.
        """
        key = self._keys.get(kid)
        if key is None:
            with self._fetching:
                self._fetch_if_due()
            key = self._keys.get(kid)
            if key is None and self._fetched_at < self._tried_at:
                raise KeysUnavailableError("the issuer's keys are unavailable")
        elif self._clock() - self._fetched_at >= self._lifetime and self._fetching.acquire(blocking=False):
            try:
                Thread(target=self._fetch_in_background, name="token-keys", daemon=True).start()
            except RuntimeError:  # no thread can be started
                self._fetching.release()
        return key

    def _fetch_in_background(self) -> None:
        try:
            self._fetch_if_due()
        finally:
            self._fetching.release()

    def _fetch_if_due(self) -> None:
        now = self._clock()
        if now - self._tried_at < self._cooldown:
            return
        self._tried_at = now
        try:
            found = {key.key_id: key.key for key in self._client.get_signing_keys(refresh=True)}
        except (jwt.PyJWTError, OSError, ValueError, RecursionError) as error:
            log.warning("keys of access tokens not fetched", error=type(error).__name__)
            return
        keys = {str(kid): key for kid, key in found.items() if isinstance(key, Ed25519PublicKey)}
        if not keys:
            log.warning("keys of access tokens not fetched", error="no Ed25519 key")
            return
        # A key that stays is the same object: verified tokens are remembered by it.
        former = self._keys
        self._keys = {kid: former[kid] if former.get(kid) == key else key for kid, key in keys.items()}
        self._fetched_at = now
