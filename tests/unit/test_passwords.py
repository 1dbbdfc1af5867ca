"""Passwords: argon2id, renewed when parameters change, and never more at a time than allowed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from app.platform import passwords as module
from app.platform.errors import UnavailableError
from app.platform.passwords import Passwords


def test_a_hash_is_argon2id_and_fits_its_password_alone() -> None:
    passwords = Passwords(memory_kib=64, iterations=1, concurrency=1)
    encoded = passwords.hash("correct horse")
    assert encoded.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert passwords.verify(encoded, "correct horse")
    assert not passwords.verify(encoded, "Correct horse")
    assert not passwords.verify(None, "no account has this password")
    assert not passwords.verify("not a hash", "correct horse")


def test_to_refuse_an_unknown_user_takes_a_whole_hash() -> None:
    passwords = Passwords(memory_kib=64, iterations=2, concurrency=1)
    assert extract_parameters(passwords._nobody) == extract_parameters(passwords.hash("correct horse"))
    with pytest.raises(VerifyMismatchError):  # of a malformed hash nothing would be computed
        PasswordHasher().verify(passwords._nobody, "correct horse")


def test_other_parameters_make_a_hash_outdated() -> None:
    encoded = Passwords(memory_kib=64, iterations=1, concurrency=1).hash("correct horse")
    assert not Passwords(memory_kib=64, iterations=1, concurrency=1).outdated(encoded)
    assert Passwords(memory_kib=128, iterations=1, concurrency=1).outdated(encoded)


class SlowHasher:
    """Two hashes end together or not at all, so two must run at a time; it notes how many did at most."""

    def __init__(self) -> None:
        self.most = 0
        self._running = 0
        self._lock = threading.Lock()
        self._both = threading.Barrier(2)

    def hash(self, password: str) -> str:
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
        self._both.wait(10)
        with self._lock:
            self._running -= 1
        return password


def test_no_more_hashes_run_at_a_time_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords, hasher = Passwords(memory_kib=8, iterations=1, concurrency=2), SlowHasher()
    monkeypatch.setattr(passwords, "_hasher", hasher)
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(passwords.hash, ["password"] * 8)) == ["password"] * 8
    assert hasher.most == 2


def test_who_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(memory_kib=8, iterations=1, concurrency=1)
    monkeypatch.setattr(module, "WAIT", 0.01)
    with passwords._turn(), pytest.raises(UnavailableError):
        passwords.hash("password")
    assert passwords.hash("password")
