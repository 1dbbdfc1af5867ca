"""Retries of transactions: only after a rollback, of the whole unit of work, and for a bounded time."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from app.core.database import retries
from app.core.database.retries import MOST_SECONDS, PAUSES, retried, run
from app.core.errors import CommitUnknownError, TransientError, UnavailableError


class Time:
    """Fake clock that only `sleep` advances."""

    def __init__(self) -> None:
        self.now = 1e9

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(retries, "time", SimpleNamespace(monotonic=lambda: time.now, sleep=time.sleep))
    return time


class Failing:
    """Fails a number of times, then answers."""

    def __init__(self, times: int, error: type[Exception], time: Time | None = None, seconds: float = 0) -> None:
        self.calls = 0
        self._times = times
        self._error = error
        self._time = time
        self._seconds = seconds

    @retried
    def answer(self, text: str) -> str:
        self.calls += 1
        if self._time:
            self._time.now += self._seconds
        if self.calls <= self._times:
            raise self._error
        return text


def test_a_transaction_that_was_rolled_back_is_retried() -> None:
    failing = Failing(4, TransientError)
    assert failing.answer("done") == "done"
    assert failing.calls == 5


@pytest.mark.parametrize("error", [UnavailableError, CommitUnknownError, KeyError])
def test_a_transaction_that_may_have_committed_is_not_retried(error: type[Exception], time: Time) -> None:
    began = time.now
    failing = Failing(1, error)
    with pytest.raises(error):
        failing.answer("done twice")
    assert failing.calls == 1
    assert time.now == began, "nobody waits"


def test_retries_end_within_a_second_or_so(time: Time) -> None:
    began = time.now
    failing = Failing(100, TransientError)
    with pytest.raises(TransientError):
        failing.answer("never")
    assert failing.calls == 1 + len(PAUSES)
    assert sum(PAUSES) * 0.5 <= time.now - began <= sum(PAUSES) * 1.5


def test_nothing_is_retried_after_a_long_wait(time: Time) -> None:
    failing = Failing(1, TransientError, time, MOST_SECONDS * 1.1)
    with pytest.raises(TransientError):
        failing.answer("late")
    assert failing.calls == 1


def test_a_retry_has_a_transaction_of_its_own() -> None:
    begun: list[object] = []

    @contextmanager
    def transaction() -> Iterator[object]:
        begun.append(object())
        yield begun[-1]

    def unit(work: object) -> object:
        if len(begun) < 3:
            raise TransientError
        return work

    assert run(transaction, unit) is begun[2]
    assert len(begun) == 3
