"""Passwords: argon2id, renewed when parameters change, and never more at a time than leaves threads free."""

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from app.core.errors import UnavailableError
from app.core.security.passwords import NICENESS, Passwords
from tests.support.ports import wait_for


def test_a_hash_is_argon2id_and_fits_its_password_alone() -> None:
    passwords = Passwords(memory_kib=64, iterations=1, concurrency=1, threads=8)
    encoded = passwords.hash("correct horse")
    assert encoded.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert passwords.verify(encoded, "correct horse")
    assert not passwords.verify(encoded, "Correct horse")
    assert not passwords.verify(None, "no account has this password")
    assert not passwords.verify("not a hash", "correct horse")


def test_to_refuse_an_unknown_user_takes_a_whole_hash() -> None:
    passwords = Passwords(memory_kib=64, iterations=2, concurrency=1, threads=8)
    assert extract_parameters(passwords._nobody) == extract_parameters(passwords.hash("correct horse"))
    with pytest.raises(VerifyMismatchError):  # of a malformed hash nothing would be computed
        PasswordHasher().verify(passwords._nobody, "correct horse")


def test_other_parameters_make_a_hash_outdated() -> None:
    encoded = Passwords(memory_kib=64, iterations=1, concurrency=1, threads=8).hash("correct horse")
    assert not Passwords(memory_kib=64, iterations=1, concurrency=1, threads=8).outdated(encoded, "correct horse")
    assert Passwords(memory_kib=128, iterations=1, concurrency=1, threads=8).outdated(encoded, "correct horse")


COMPOSED, DECOMPOSED = "\u00e9t\u00e9 en Alg\u00e9rie", "e\u0301te\u0301 en Alge\u0301rie"


def test_a_password_fits_in_any_spelling() -> None:
    """RFC 8265, section 4.2: keyboards differ in what they make of an accent, and of a space."""
    passwords = Passwords(memory_kib=64, iterations=1, concurrency=1, threads=8)
    for typed in (COMPOSED, DECOMPOSED):
        encoded = passwords.hash(typed)
        assert passwords.verify(encoded, COMPOSED)
        assert passwords.verify(encoded, DECOMPOSED)
        assert passwords.verify(encoded, COMPOSED.replace(" ", "\u00a0"))
        assert not passwords.verify(encoded, COMPOSED.upper())
        assert not passwords.outdated(encoded, DECOMPOSED)
        assert not passwords.verify(None, DECOMPOSED)


def test_a_hash_of_a_password_as_it_was_typed_fits_and_is_outdated() -> None:
    passwords = Passwords(memory_kib=64, iterations=1, concurrency=1, threads=8)
    encoded = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(DECOMPOSED)
    assert passwords.verify(encoded, DECOMPOSED)
    assert passwords.outdated(encoded, DECOMPOSED)
    assert not passwords.verify(encoded, f"{DECOMPOSED}!")


class HeldHasher:
    """Hashes that end when they are let go; it notes which began, and how nice their threads were."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.niceness: set[int] = set()
        self.let_go = threading.Event()

    def hash(self, password: str) -> str:
        self.begun.append(password)
        self.niceness.add(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        assert self.let_go.wait(30)
        return password


@pytest.fixture
def held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Passwords, HeldHasher]]:
    concurrency, threads = request.param
    passwords = Passwords(memory_kib=8, iterations=1, concurrency=concurrency, threads=threads)
    hasher = HeldHasher()
    monkeypatch.setattr(passwords, "_hasher", hasher)
    yield passwords, hasher
    hasher.let_go.set()


@pytest.mark.parametrize(
    ("held", "running", "places"),
    [((2, 8), 2, 4), ((2, 256), 2, 4), ((1, 8), 1, 2), ((64, 8), 4, 4), ((2, 3), 1, 1), ((2, 1), 1, 1)],
    indirect=["held"],
)
def test_some_hashes_run_as_many_wait_and_the_others_are_refused_at_once(
    held: tuple[Passwords, HeldHasher], running: int, places: int
) -> None:
    """Those that run and wait never hold more than half of the server's threads, but for its only one."""
    passwords, hasher = held
    with ThreadPoolExecutor(places) as threads:
        asked = [threads.submit(passwords.hash, f"password {number}") for number in range(places)]
        wait_for(lambda: passwords._places._value == 0, "all places are taken")
        with pytest.raises(UnavailableError):
            passwords.hash("one too many")
        with pytest.raises(UnavailableError):
            passwords.verify(None, "one too many")
        wait_for(lambda: len(hasher.begun) == running, "hashes run")
        hasher.let_go.set()
        assert {each.result(30) for each in asked} == {f"password {number}" for number in range(places)}
    assert passwords.hash("afterwards") == "afterwards"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has priorities by thread")
@pytest.mark.parametrize("held", [(2, 8)], indirect=True)
def test_hashes_run_in_threads_that_give_way_to_all_others(held: tuple[Passwords, HeldHasher]) -> None:
    passwords, hasher = held
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    hasher.let_go.set()
    passwords.hash("password")
    assert hasher.niceness == {min(19, before + NICENESS)}
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


@pytest.mark.parametrize("held", [(1, 2)], indirect=True)
def test_a_hash_that_fails_gives_its_place_back(held: tuple[Passwords, HeldHasher]) -> None:
    passwords, hasher = held
    hasher.let_go.set()
    for _ in range(3):
        with pytest.raises(AttributeError):  # this hasher has no verify
            passwords.verify(None, "password")
    assert passwords.hash("password") == "password"
