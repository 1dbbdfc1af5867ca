"""Password hashing: argon2id behind a bulkhead."""

import os
import sys
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from app.core.errors import UnavailableError
from app.core.text import opaque_string

T = TypeVar("T")

NICENESS = 5
"""How much the threads that hash give way to the others of the process (setpriority(2))."""


class Passwords:
    """Hashes and verifies.

    The defaults of the settings (46 MiB, one pass, one lane) are the first choice of the OWASP Password Storage
    Cheat Sheet. A hash takes that much memory, so `concurrency` bounds what a burst of log-ins can take from the pod.
    As many again may wait. Hashes that run or wait hold at most half of the server's threads; any further one is
    refused at once, so that nobody else has to wait for passwords.

    Args:
        memory_kib: memory of one hash, KiB.
        iterations: passes over that memory.
        concurrency: how many hashes may run at a time.
        threads: how many requests the server answers at a time.
    """

    def __init__(self, memory_kib: int, iterations: int, concurrency: int, threads: int) -> None:
        self._hasher = PasswordHasher(time_cost=iterations, memory_cost=memory_kib, parallelism=1)
        most = max(1, threads // 2)
        running = min(concurrency, most)
        self._places = threading.BoundedSemaphore(min(2 * running, most))
        # Threads of their own, because a thread that has made itself nicer may not take it back. They begin with the
        # first hash, so after the server has forked.
        self._threads = ThreadPoolExecutor(running, "passwords", initializer=_give_way)
        # Costs as much to try as any other, and nothing to make: a start need not wait for a hash.
        salt, digest = (b64encode(os.urandom(size)).decode().rstrip("=") for size in (16, 32))
        self._nobody = f"$argon2id$v={ARGON2_VERSION}$m={memory_kib},t={iterations},p=1${salt}${digest}"

    def hash(self, password: str) -> str:
        """Return the encoded hash of a password, in whatever form it is typed (RFC 8265, section 4.2).

        Raises:
            UnavailableError: too many hashes run and wait.
        """
        return self._run(lambda: self._hasher.hash(opaque_string(password)))

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Say whether the password fits. Without a hash (unknown user) the same work is done, and the answer is no.

        Raises:
            UnavailableError: too many hashes run and wait.
        """
        # Hashes were once made of passwords as they were typed.
        forms = dict.fromkeys((opaque_string(password), password))
        fits = self._run(lambda: any(self._fits(password_hash or self._nobody, form) for form in forms))
        return fits and password_hash is not None

    def outdated(self, password_hash: str, password: str) -> bool:
        """Say whether the hash of a password that fits was made otherwise than today: of it as it was typed, or with
        other parameters.

        Raises:
            UnavailableError: too many hashes run and wait.
        """
        form = opaque_string(password)
        as_typed = form != password and not self._run(lambda: self._fits(password_hash, form))
        return as_typed or self._hasher.check_needs_rehash(password_hash)

    def _fits(self, password_hash: str, form: str) -> bool:
        try:
            return self._hasher.verify(password_hash, form)
        except (VerificationError, InvalidHashError):
            return False

    def _run(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise UnavailableError("Too many passwords are being checked at the moment. Try again in a few seconds.")
        try:
            return self._threads.submit(work).result()
        finally:
            self._places.release()


def _give_way() -> None:
    """Let other threads go first. Linux alone has priorities by thread."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)
