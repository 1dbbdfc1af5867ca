"""Liveness of a worker: it has consumed its own ping, or there is a reason why it can't."""

import threading
from contextlib import ExitStack

import pytest

from app.core.jobs.liveness import ConsumerLiveness
from app.core.jobs.polling_loop import PollingLoop

PLACES = 2


class Worker:
    """A worker whose broker and consumer a test can break."""

    def __init__(self, *loops: PollingLoop) -> None:
        self.deaf = self.away = False
        self.said = 0
        self.liveness = ConsumerLiveness(self._ping, (ConnectionError,), self._send_changes, PLACES, loops)

    def says_so(self) -> bool:
        before = self.said
        self.liveness.run_once()
        return self.said > before

    def _ping(self) -> None:
        if self.away:
            raise ConnectionRefusedError
        if not self.deaf:
            self.liveness.taken()

    def _send_changes(self) -> None:
        self.said += 1


def test_a_worker_that_consumes_its_pings_is_alive() -> None:
    assert Worker().says_so()


def test_a_worker_that_consumes_no_pings_is_not_alive() -> None:
    worker = Worker()
    worker.deaf = True
    with worker.liveness.job():
        assert not worker.says_so(), "there is a place left for the message"


def test_a_worker_whose_slots_are_all_busy_is_alive() -> None:
    worker = Worker()
    worker.deaf = True
    with ExitStack() as jobs:
        for _ in range(PLACES):
            jobs.enter_context(worker.liveness.job())
        assert worker.says_so()
    assert not worker.says_so()


def test_a_job_that_fails_releases_its_slot() -> None:
    worker = Worker()
    worker.deaf = True
    for _ in range(PLACES):
        with pytest.raises(KeyError), worker.liveness.job():
            raise KeyError
    assert not worker.says_so()


def test_a_worker_whose_broker_is_unavailable_is_alive() -> None:
    worker = Worker()
    worker.away = True
    assert worker.says_so()


def test_another_error_while_sending_a_ping_does_not_report_the_worker_alive() -> None:
    worker = Worker()

    def fail() -> None:
        raise KeyError

    worker.liveness._ping = fail
    with pytest.raises(KeyError):
        worker.says_so()
    assert worker.said == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_with_a_dead_thread_is_not_alive() -> None:
    began = threading.Event()

    def die() -> bool:
        began.set()
        raise SystemExit

    loop = PollingLoop("dying", die, 0.01)
    worker = Worker(loop)
    assert not worker.says_so(), "it has not even begun"
    loop.start()
    assert began.wait(10)
    assert loop._thread is not None
    loop._thread.join(10)
    assert not worker.says_so()


def test_a_stopped_thread_does_not_count_as_dead() -> None:
    loop = PollingLoop("ended", lambda: False, 0.01)
    loop.start()
    loop.stop(10)
    assert Worker(loop).says_so()
