"""The in-process response cache: invalidation by version, time to live, memory limit."""

from uuid import UUID

import pytest

from app.core.cache.interface import LARGEST, LIFETIME
from app.core.cache.process import MOST_BYTES, ProcessUserCache

USER, SESSION = UUID(int=1), UUID(int=2)


class Versions:
    """A fake of the session states: the version of the user's data, or None when the session has ended."""

    def __init__(self) -> None:
        self.current: int | None = 1

    def ended(self, _user_id: UUID, _session_id: UUID) -> bool:
        return self.current is None

    def version(self, _user_id: UUID, _session_id: UUID) -> int | None:
        return self.current


class Time:
    def __init__(self) -> None:
        self.now = 0.0


@pytest.fixture
def versions() -> Versions:
    return Versions()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def cache(versions: Versions, time: Time) -> ProcessUserCache:
    return ProcessUserCache(versions, lambda: time.now)


def body(cache: ProcessUserCache, name: str = "list", user: UUID = USER) -> bytes | None:
    return cache.lookup(user, SESSION, name).body


def test_a_response_is_there_for_its_user_and_name_until_its_lifetime_ends(cache: ProcessUserCache, time: Time) -> None:
    cache.store(USER, b"1", "list", b"answer")
    assert (body(cache), body(cache, "other"), body(cache, user=UUID(int=3))) == (b"answer", None, None)
    time.now = LIFETIME - 0.1
    assert body(cache) == b"answer"
    time.now = LIFETIME
    assert body(cache) is None


def test_a_response_of_another_version_is_a_miss(cache: ProcessUserCache, versions: Versions) -> None:
    cache.store(USER, b"1", "list", b"former")
    versions.current = 2
    assert body(cache) is None
    cache.store(USER, b"2", "list", b"current")
    assert body(cache) == b"current"


def test_an_ended_session_is_denied_whatever_is_cached(cache: ProcessUserCache, versions: Versions) -> None:
    cache.store(USER, b"1", "list", b"answer")
    versions.current = None
    seen = cache.lookup(USER, SESSION, "list")
    assert (seen.denied, seen.body, seen.version) == (True, None, None)


def test_responses_together_take_no_more_than_their_memory(cache: ProcessUserCache) -> None:
    fits = MOST_BYTES // LARGEST
    for number in range(2 * fits):
        for _ in range(2):  # one that is stored again takes its place once
            cache.store(USER, b"1", str(number), bytes(LARGEST))
    there = [number for number in range(2 * fits) if body(cache, str(number)) is not None]
    assert there == list(range(fits, 2 * fits)), "the latest"


def test_a_response_that_is_too_large_is_not_cached(cache: ProcessUserCache) -> None:
    cache.store(USER, b"1", "list", bytes(LARGEST + 1))
    assert body(cache) is None
