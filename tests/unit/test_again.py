"""Trying again: only what is certainly undone, and not for ever."""

import pytest

from app.platform import again as subject
from app.platform.again import again
from app.platform.errors import UnavailableError, UndoneError


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
    failing = Failing(3, UndoneError)
    assert failing.answer("done") == "done"
    assert failing.calls == 4


def test_what_may_have_been_done_is_not_tried_again() -> None:
    failing = Failing(1, UnavailableError)
    with pytest.raises(UnavailableError):
        failing.answer("done twice")
    assert failing.calls == 1


def test_trying_has_an_end() -> None:
    failing = Failing(100, UndoneError)
    with pytest.raises(UndoneError):
        failing.answer("never")
    assert failing.calls == 4


def test_a_database_that_keeps_everybody_waiting_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "PATIENCE", -1.0)
    failing = Failing(1, UndoneError)
    with pytest.raises(UndoneError):
        failing.answer("late")
    assert failing.calls == 1
