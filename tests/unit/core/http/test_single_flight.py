"""One request makes an answer for all who want it at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from weakref import WeakSet

import pytest

from app.core.http import single_flight
from app.core.http.single_flight import SharedCall, SingleFlight


def test_who_waits_and_who_comes_after_get_the_answer_of_the_first() -> None:
    table = SingleFlight()
    flight, first = table.join("list")
    with ThreadPoolExecutor(1) as threads:
        other, other_first = table.join("list")
        waiting = threads.submit(other.wait)
        flight.land(b"answer")
        flight.land(None)  # as the end of each request says it
        assert (first, other_first, waiting.result()) == (True, False, b"answer")
    after, is_first = table.join("list")
    assert (is_first, after.wait()) == (False, b"answer")


def test_where_there_was_no_answer_the_next_one_makes_it() -> None:
    table = SingleFlight()
    flight, _ = table.join("list")
    flight.land(None)
    assert table.join("list")[1]


def test_answers_that_have_landed_take_no_more_than_their_budget() -> None:
    table = SingleFlight(budget=1_000_000)
    there: WeakSet[SharedCall] = WeakSet()
    for number in range(100):
        flight, first = table.join(number)
        there.add(flight)
        other, _ = table.join(number)
        flight.land(bytes(150_000))
        assert (first, other.wait()) == (True, bytes(150_000))
    del flight, other
    assert len(there) == 6
    assert [table.join(number)[1] for number in range(94, 100)] == [False] * 6, "the latest are there for latecomers"


def test_an_answer_larger_than_the_budget_goes_to_who_waits_alone() -> None:
    table = SingleFlight(budget=10)
    flight, _ = table.join("long")
    other, _ = table.join("long")
    flight.land(b"more than ten bytes")
    assert other.wait() == b"more than ten bytes"
    assert table.join("long")[1]


def test_an_answer_is_there_for_a_while_and_one_that_took_too_long_is_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = SingleFlight()
    now = 0.0
    monkeypatch.setattr("app.core.http.single_flight.time.monotonic", lambda: now)
    landed, _ = table.join("landed")
    lost, _ = table.join("lost")
    landed.land(b"answer")
    now = single_flight.KEPT
    assert (table.join("landed")[1], table.join("lost")[1]) == (False, False)
    now += 0.1
    assert (table.join("landed")[1], table.join("lost")[1]) == (True, True)
    lost.land(b"late")
    assert table.join("lost")[0].wait is not lost.wait
