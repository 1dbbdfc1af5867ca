"""Public keys of a remote issuer of tokens (a JSON Web Key Set at a URL), cached."""

import json
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from threading import Lock, Thread
from typing import Any
from urllib.request import HTTPRedirectHandler, build_opener

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from prometheus_client import Histogram

from app.core.security.tokens import KeysUnavailableError

LIFETIME = 300.0
"""Seconds after which the keys are fetched again: a key that was withdrawn is accepted for so long."""

COOLDOWN = 10.0
"""Least seconds between two fetches, whatever came of the first."""

TIMEOUT = 2.0
"""Seconds to wait for the issuer: to connect, and for each part of its response."""

MOST_BYTES = 64 << 10
MOST_KEYS = 32
"""Maximum size of a key set. The issuer's has a key or two of 150 bytes, and a few more in a rotation."""

OUTCOMES = ("fetched", "failed")
"""Values of the `outcome` label of the fetches' histogram."""

BUCKETS = (0.01, 0.05, 0.25, 1.0, 2.5)
"""Upper bounds of the fetches' histogram, seconds."""

log = structlog.get_logger(__name__)


class OversizedKeySetError(ValueError):
    """The key set is larger than any of the issuer's."""


class NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_request: Any) -> None:
        """Follow no redirect: its response is an error."""


class KeySetClient(jwt.PyJWKClient):
    """PyJWT's client, with a limit on what it reads."""

    _opener = build_opener(NoRedirects)

    def fetch_data(self) -> Any:
        with self._opener.open(self.uri, timeout=self.timeout) as response:
            body = response.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise OversizedKeySetError(f"more than {MOST_BYTES} bytes")
        key_set = json.loads(body)
        keys = key_set.get("keys") if isinstance(key_set, dict) else None
        if isinstance(keys, list) and len(keys) > MOST_KEYS:
            raise OversizedKeySetError(f"more than {MOST_KEYS} keys")
        return key_set


class RemoteKeys:
    """The issuer's keys.

    A known key is returned at once: keys older than `lifetime` are fetched again in the background, and stay while the
    issuer is away. For an unknown one the issuer is asked, if the cooldown is over. PyJWKClient fetches; its own cache
    drops keys that expire, lets all callers wait while it fetches, and has no cooldown after a failure.

    Args:
        url: of the key set; http or https, redirects are not followed.
        lifetime, cooldown, timeout: in seconds.
        clock: monotonic time.

    Attributes:
        fetches: histogram of the fetches' durations, by outcome.
    """

    def __init__(
        self,
        url: str,
        lifetime: float = LIFETIME,
        cooldown: float = COOLDOWN,
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = KeySetClient(url, cache_jwk_set=False, timeout=timeout)
        self.fetches = _fetch_histogram()
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
        began = time.perf_counter()
        keys = self._fetched()
        self.fetches.labels("fetched" if keys else "failed").observe(time.perf_counter() - began)
        if not keys:
            return
        # A key that stays is the same object: verified tokens are remembered by it.
        former = self._keys
        self._keys = {kid: former[kid] if former.get(kid) == key else key for kid, key in keys.items()}
        self._fetched_at = now

    def _fetched(self) -> dict[str, Ed25519PublicKey]:
        """Fetch the keys by id; none if that fails, which is logged."""
        try:
            found = {key.key_id: key.key for key in self._client.get_signing_keys(refresh=True)}
        except (jwt.PyJWTError, OSError, HTTPException, ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, OversizedKeySetError) else type(error).__name__
            log.warning("keys of access tokens not fetched", error=reason)
            return {}
        keys = {str(kid): key for kid, key in found.items() if isinstance(key, Ed25519PublicKey)}
        if not keys:
            log.warning("keys of access tokens not fetched", error="no Ed25519 key")
        return keys


def _fetch_histogram() -> Histogram:
    histogram = Histogram(
        "task_manager_key_set_fetch_seconds",
        "Fetches of the public keys of access tokens: fetched, failed",
        ["outcome"],
        registry=None,
        buckets=BUCKETS,
    )
    for outcome in OUTCOMES:
        histogram.labels(outcome)
    return histogram
