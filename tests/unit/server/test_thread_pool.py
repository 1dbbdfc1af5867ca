"""Threads in whose place others work while they wait for clients."""

import threading
from dataclasses import dataclass, field

from app.server.thread_pool import ThreadPool
from tests.support.ports import wait_for


@dataclass(eq=False)
class Client:
    seconds: float = 1.0
    ended: threading.Event = field(default_factory=threading.Event)

    def time_left(self) -> float:
        return self.seconds

    def cut_off(self) -> None:
        self.ended.set()


def wait_in(pool: ThreadPool, client: Client) -> None:
    """Let a thread of the pool wait for a client, until it is ended."""
    waits = threading.Event()

    def work() -> None:
        with pool.blocked(client):
            waits.set()
            client.ended.wait(60)

    pool.submit(work)
    assert waits.wait(60)


def test_as_many_work_as_shall_however_many_wait_for_clients() -> None:
    pool = ThreadPool(size=2, most_blocked=10)
    clients = [Client() for _ in range(5)]
    for client in clients:
        wait_in(pool, client)
    together = threading.Barrier(3)
    for _ in range(2):
        pool.submit(lambda: together.wait(60) and None)  # type: ignore[arg-type]
    together.wait(60)
    for client in clients:
        client.ended.set()
    pool.shutdown()


def test_the_one_whose_time_is_over_first_is_cut_off_when_too_many_wait() -> None:
    pool = ThreadPool(size=1, most_blocked=2)
    fast, slow, new = Client(20), Client(1), Client(30)
    for client in (fast, slow, new):
        wait_in(pool, client)
    assert slow.ended.is_set()
    assert not fast.ended.is_set()
    assert not new.ended.is_set()
    for client in (fast, new):
        client.ended.set()
    pool.shutdown()


def threads() -> int:
    return sum(thread.name.startswith("request-") for thread in threading.enumerate())


def test_threads_that_are_no_longer_needed_end() -> None:
    wait_for(lambda: threads() == 0, "those of other tests have ended")
    pool = ThreadPool(size=1, most_blocked=10)
    clients = [Client() for _ in range(5)]
    for client in clients:
        wait_in(pool, client)
    assert threads() == 6
    for client in clients:
        client.ended.set()
    wait_for(lambda: threads() == 1, "one thread is left")
    done = threading.Event()
    pool.submit(done.set)
    assert done.wait(60)
    pool.shutdown()
    wait_for(lambda: threads() == 0, "no thread is left")


def test_what_is_urgent_does_not_wait_for_threads_that_all_work() -> None:
    pool, busy, done = ThreadPool(size=1, most_blocked=1), threading.Event(), threading.Event()
    pool.submit(lambda: assert_set(busy))
    pool.submit_urgent(done.set)
    assert done.wait(60)
    busy.set()
    pool.shutdown()


def assert_set(event: threading.Event) -> None:
    assert event.wait(60)
