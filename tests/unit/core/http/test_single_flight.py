"""Single flight: concurrent calls of one key share one result."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from weakref import WeakSet

from app.core.http.single_flight import KEPT, SharedCall, SingleFlight


def test_waiting_and_later_callers_get_the_result_of_the_first() -> None:
    table = SingleFlight()
    call, first = table.join("list")
    with ThreadPoolExecutor(1) as threads:
        other, other_first = table.join("list")
        waiting = threads.submit(other.wait)
        call.finish(b"answer")
        call.finish(None)  # as at the end of each request
        assert (first, other_first, waiting.result()) == (True, False, b"answer")
    after, is_first = table.join("list")
    assert (is_first, after.wait()) == (False, b"answer")


def test_after_a_call_without_result_the_next_caller_is_the_first() -> None:
    table = SingleFlight()
    call, _ = table.join("list")
    call.finish(None)
    assert table.join("list")[1]


def test_finished_results_stay_within_their_budget() -> None:
    table = SingleFlight(budget=1_000_000)
    there: WeakSet[SharedCall] = WeakSet()
    for number in range(100):
        call, first = table.join(number)
        there.add(call)
        other, _ = table.join(number)
        call.finish(bytes(150_000))
        assert (first, other.wait()) == (True, bytes(150_000))
    del call, other
    assert len(there) == 6
    assert [table.join(number)[1] for number in range(94, 100)] == [False] * 6, "the latest are held for late joiners"


def test_a_result_larger_than_the_budget_reaches_only_waiting_callers() -> None:
    table = SingleFlight(budget=10)
    call, _ = table.join("long")
    other, _ = table.join("long")
    call.finish(b"more than ten bytes")
    assert other.wait() == b"more than ten bytes"
    assert table.join("long")[1]


def test_a_result_expires_and_a_call_that_takes_too_long_is_replaced() -> None:
    now = 0.0
    table = SingleFlight(timer=lambda: now)
    landed, _ = table.join("landed")
    lost, _ = table.join("lost")
    landed.finish(b"answer")
    now = KEPT - 0.1
    assert (table.join("landed")[1], table.join("lost")[1]) == (False, False)
    now += 0.1
    assert (table.join("landed")[1], table.join("lost")[1]) == (True, True)
    lost.finish(b"late")
    assert table.join("lost")[0] is not lost


def test_a_call_may_finish_at_the_moment_of_its_expiry() -> None:
    for readings in range(1, 10):
        times = chain(repeat(0.0, readings), repeat(KEPT))
        table = SingleFlight(timer=times.__next__)
        call, _ = table.join("list")
        call.finish(b"answer")
        assert call.wait() == b"answer"
