"""Passwords: argon2id, with a cap on how many hashes run at a time."""

import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from app.platform.errors import UnavailableError

WAIT = 5.0
"""Seconds that a log-in waits for its turn before it is told to come again."""


class Passwords:
    """Hashes and verifies.

    The defaults of the settings (46 MiB, one pass, one lane) are the first choice of the OWASP Password Storage
    Cheat Sheet. A hash takes that much memory, so `concurrency` bounds what a burst of log-ins can take from the pod.

    Args:
        memory_kib: memory of one hash, KiB.
        iterations: passes over that memory.
        concurrency: how many hashes may run at a time.
    """

    def __init__(self, memory_kib: int, iterations: int, concurrency: int) -> None:
        self._hasher = PasswordHasher(time_cost=iterations, memory_cost=memory_kib, parallelism=1)
        self._turns = threading.BoundedSemaphore(concurrency)
        # Costs as much to try as any other, and nothing to make: a start need not wait for a hash.
        salt, digest = (b64encode(os.urandom(size)).decode().rstrip("=") for size in (16, 32))
        self._nobody = f"$argon2id$v={ARGON2_VERSION}$m={memory_kib},t={iterations},p=1${salt}${digest}"

    def hash(self, password: str) -> str:
        """Return the encoded hash.

        Raises:
            UnavailableError: too many hashes are waiting.
        """
        with self._turn():
            return self._hasher.hash(password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Say whether the password fits. Without a hash (unknown user) the same work is done, and the answer is no."""
        with self._turn():
            try:
                fits = self._hasher.verify(password_hash or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return fits and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Say whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=WAIT):
            raise UnavailableError("Too many log-ins at the moment.")
        try:
            yield
        finally:
            self._turns.release()
