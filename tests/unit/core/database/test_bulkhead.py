"""Bulkhead: while a server does not answer, not every thread waits for it."""

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
    """Occupy every place by threads that wait for the server, until the event is set and the server answers."""
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
    """Return the seconds until a caller was rejected."""
    began = monotonic()
    with pytest.raises(UnavailableError), bulkhead.place():
        pass
    return monotonic() - began


def test_the_first_caller_over_the_limit_waits_and_later_ones_are_rejected_at_once() -> None:
    bulkhead = Bulkhead(PLACES)
    with frozen(bulkhead):
        assert refused(bulkhead) >= PATIENCE
        assert max(refused(bulkhead) for _ in range(20)) < PATIENCE


def test_a_caller_that_gets_a_place_while_it_waits_is_not_rejected() -> None:
    bulkhead = Bulkhead(PLACES)
    with frozen(bulkhead) as answers:
        threading.Timer(PATIENCE / 5, answers.set).start()
        with bulkhead.place():
            pass


def test_after_an_answer_of_the_server_callers_wait_again() -> None:
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


def test_a_failure_releases_its_place() -> None:
    bulkhead = Bulkhead(1)
    for _ in range(3):
        with pytest.raises(ConnectionError), bulkhead.place():
            raise ConnectionError
    with bulkhead.place():
        pass
