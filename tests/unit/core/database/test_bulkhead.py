"""While a server answers nobody, not every thread waits for it."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic

import pytest

from app.core.database.bulkhead import PATIENCE, Bulkhead
from app.core.errors import UnavailableError

PLACES = 3


@contextmanager
def frozen(bulkhead: Bulkhead) -> Iterator[threading.Event]:
    """Have every place taken by somebody who waits for the server, until the event says that it answers."""
    answers, waiting = threading.Event(), threading.Barrier(PLACES + 1)

    def wait() -> None:
        with bulkhead.place():
            waiting.wait(30)
            assert answers.wait(30)

    with ThreadPoolExecutor(PLACES) as threads:
        waits: list[Future[None]] = [threads.submit(wait) for _ in range(PLACES)]
        waiting.wait(30)
        try:
            yield answers
        finally:
            answers.set()
    assert [done.result() for done in waits] == [None] * PLACES


def refused(bulkhead: Bulkhead) -> float:
    """Return after how many seconds there was no place."""
    began = monotonic()
    with pytest.raises(UnavailableError), bulkhead.place():
        pass
    return monotonic() - began


def test_one_too_many_waits_a_moment_and_those_after_it_not_at_all() -> None:
    bulkhead = Bulkhead(PLACES)
    with frozen(bulkhead):
        assert refused(bulkhead) >= PATIENCE
        assert max(refused(bulkhead) for _ in range(20)) < PATIENCE


def test_whoever_gets_a_place_within_that_moment_is_not_refused() -> None:
    bulkhead = Bulkhead(PLACES)
    with frozen(bulkhead) as answers:
        threading.Timer(PATIENCE / 5, answers.set).start()
        with bulkhead.place():
            pass


def test_an_answer_makes_waiting_worth_while_again() -> None:
    bulkhead = Bulkhead(PLACES)
    with frozen(bulkhead):
        refused(bulkhead)
    with bulkhead.place():
        pass
    with frozen(bulkhead):
        assert refused(bulkhead) >= PATIENCE


def test_a_thread_that_has_a_place_needs_no_second_one() -> None:
    bulkhead = Bulkhead(1)
    for _ in range(2):
        with bulkhead.place(), bulkhead.place():
            pass


def test_a_failure_gives_its_place_back_and_says_nothing_of_the_server() -> None:
    bulkhead = Bulkhead(1)
    for _ in range(3):
        with pytest.raises(ConnectionError), bulkhead.place():
            raise ConnectionError
    with bulkhead.place():
        pass
