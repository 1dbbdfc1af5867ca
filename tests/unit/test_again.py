"""Trying again: only what is certainly undone, and not for ever."""

from contextlib import suppress
from types import SimpleNamespace

import pytest

from app.platform import again as subject
from app.platform.again import again
from app.platform.errors import TransientError, UnavailableError


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "PAUSES", (0.0, 0.0, 0.0))


class Failing:
    """Fails a number of times, then answers."""

    def __init__(self, times: int, error: type[Exception]) -> None:
        self.calls = 0
        self._times = times
        self._error = error

    @again
    def answer(self, text: str) -> str:
        self.calls += 1
        if self.calls <= self._times:
            raise self._error
        return text


def test_what_was_undone_is_tried_again() -> None:
    failing = Failing(3, TransientError)
    assert failing.answer("done") == "done"
    assert failing.calls == 4


def test_what_may_have_been_done_is_not_tried_again() -> None:
    failing = Failing(1, UnavailableError)
    with pytest.raises(UnavailableError):
        failing.answer("done twice")
    assert failing.calls == 1


def test_trying_has_an_end() -> None:
    failing = Failing(100, TransientError)
    with pytest.raises(TransientError):
        failing.answer("never")
    assert failing.calls == 4


def test_a_database_that_keeps_everybody_waiting_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "PATIENCE", -1.0)
    failing = Failing(1, TransientError)
    with pytest.raises(TransientError):
        failing.answer("late")
    assert failing.calls == 1


def test_in_an_outage_only_now_and_then_a_call_is_a_try_until_one_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1e9
    monkeypatch.setattr(subject, "time", SimpleNamespace(monotonic=lambda: now, sleep=lambda _seconds: None))
    failing = Failing(11, TransientError)

    def tries() -> int:
        before = failing.calls
        with suppress(TransientError):
            failing.answer("done")
        return failing.calls - before

    assert tries() == 4, "it may be over in a moment"
    now += subject.PATIENCE * 0.8
    assert tries() == 4
    now += subject.PATIENCE * 0.8
    assert [tries(), tries(), tries()] == [1, 0, 0]
    now += subject.EVERY
    assert [tries(), tries()] == [1, 0]
    now += subject.PATIENCE * 1.5
    assert tries() == 2, "nobody has asked for long: it may have been over, and fails for the last time but one"
    failing.calls = 0
    assert tries() == 4, "a success has ended it"
