"""Circuit breaker, by a fake clock: when it opens, when it probes, and that it always closes again."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.core.database.circuit_breaker import MEMORY, THRESHOLD, AwayError, CircuitBreaker

PATIENCE = 2.0
INTERVAL = 0.25


class Server:
    """A server that is available or not, with the clock and the timers of its circuit breaker."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.now = 1e6
        self.away = False
        self.probes: list[float] = []
        self._timers: list[tuple[float, Callable[[], None]]] = []
        self.circuit = CircuitBreaker(
            "server", self._probe, patience=patience, interval=INTERVAL, clock=lambda: self.now, later=self._later
        )

    @property
    def timers(self) -> int:
        return len(self._timers)

    def advance(self, seconds: float) -> None:
        """Advance the clock, and run the timers that fall due."""
        end = self.now + seconds
        while due := sorted((timer for timer in self._timers if timer[0] <= end), key=lambda timer: timer[0])[:1]:
            self._timers.remove(due[0])
            self.now = due[0][0]
            due[0][1]()
        self.now = end

    def call(self) -> bool:
        """Call the server; return whether the call went through."""
        if self.circuit.refuses():
            return False
        if self.away:
            self.circuit.record_failure()
        else:
            self.circuit.record_success()
        return True

    def _probe(self) -> None:
        self.probes.append(self.now)
        if self.away:
            raise ConnectionError

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._timers.append((self.now + seconds, action))


@pytest.fixture
def server() -> Server:
    return Server()


def lose(server: Server) -> None:
    """Make calls fail until the circuit is open."""
    server.away = True
    while server.call():
        server.advance(0.01)


def test_it_opens_after_nothing_but_failures_for_the_patience(server: Server) -> None:
    server.away = True
    began = server.now
    while not server.circuit.open:
        server.call()
        server.advance(0.1)
    assert PATIENCE <= server.now - began <= PATIENCE + 0.2


def test_one_success_among_failures_keeps_it_closed(server: Server) -> None:
    for number in range(1000):
        server.away = number % 15 != 0
        assert server.call()
        server.advance(0.1)


def test_failures_of_long_ago_do_not_count(server: Server) -> None:
    server.away = True
    for _ in range(10 * THRESHOLD):
        assert server.call()
        assert not server.circuit.open
        server.advance(MEMORY * 1.1)


def test_few_failures_do_not_open_it_however_long_they_last(server: Server) -> None:
    """A single failure may be a connection that had died unnoticed, after hours without calls."""
    server.away = True
    for _ in range(THRESHOLD - 1):
        server.call()
        server.advance(MEMORY * 0.9)
    assert not server.circuit.open


def test_without_patience_a_row_of_failures_opens_it() -> None:
    server = Server(patience=0)
    server.away = True
    assert [server.call() for _ in range(THRESHOLD + 2)] == [True] * THRESHOLD + [False] * 2


def test_while_open_only_probes_call_the_server_and_the_first_success_closes_it(server: Server) -> None:
    lose(server)
    for _ in range(100):
        assert not server.call()
        server.advance(0.05)
    assert len(server.probes) == pytest.approx(5 / INTERVAL, abs=1)
    server.away = False
    server.advance(INTERVAL)
    assert server.call()
    assert server.timers == 0


def test_a_late_success_of_an_earlier_call_closes_it(server: Server) -> None:
    lose(server)
    server.circuit.record_success()
    server.away = False
    assert server.call()
    server.advance(10 * INTERVAL)
    assert server.probes == [], "nobody has to find out what is known"


def test_when_it_opens_again_before_a_probe_there_is_still_one_at_a_time() -> None:
    server = Server(patience=0)
    for _ in range(3):
        lose(server)
        server.away = False
        server.circuit.record_success()
    lose(server)
    assert server.timers == 1
    server.advance(4 * INTERVAL)
    assert len(server.probes) == 4


def test_without_calls_the_probes_end_and_the_circuit_closes(server: Server) -> None:
    lose(server)
    server.advance(2 * MEMORY)
    assert server.timers == 0
    server.away = False
    assert server.call()


def test_after_any_exception_of_a_probe_there_is_another_probe() -> None:
    class Broken(Server):
        def _probe(self) -> None:
            super()._probe()
            if len(self.probes) < 3:
                raise ZeroDivisionError

    server = Broken()
    lose(server)
    server.away = False
    server.advance(3 * INTERVAL)
    assert len(server.probes) == 3
    assert server.call()


def test_only_exceptions_that_mean_a_failure_of_the_server_count() -> None:
    server = Server(patience=0)

    def fail(error: type[Exception]) -> None:
        raise error

    for _ in range(2 * THRESHOLD):
        with pytest.raises(KeyError):
            server.circuit.call(lambda: fail(KeyError), ConnectionError)
    for _ in range(2 * THRESHOLD):
        with pytest.raises(AwayError):
            server.circuit.call(lambda: fail(ConnectionError), ConnectionError)
    assert server.circuit.open


class Circuits(RuleBasedStateMachine):
    """Calls, time, loss and recovery of the server, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.last_answer = self.server.now
        self.failures = 0

    @rule()
    def goes(self) -> None:
        self.server.away = True

    @rule()
    def comes_back(self) -> None:
        self.server.away = False

    @rule(seconds=st.floats(0, 4))
    def time_passes(self, seconds: float) -> None:
        before = self.server.circuit.open
        self.server.advance(seconds)
        if before and not self.server.circuit.open:
            self.failures = 0

    @rule()
    def somebody_calls(self) -> None:
        if not self.server.call():
            return
        self.failures = self.failures + 1 if self.server.away else 0
        if not self.server.away:
            self.last_answer = self.server.now

    @rule()
    def a_late_answer_comes(self) -> None:
        self.server.circuit.record_success()
        self.failures, self.last_answer = 0, self.server.now

    @precondition(lambda self: not self.server.away)
    @rule()
    def whoever_waits_an_interval_is_served(self) -> None:
        self.server.advance(INTERVAL)
        assert self.server.call()
        self.failures, self.last_answer = 0, self.server.now

    @invariant()
    def it_is_open_only_after_a_row_of_failures_in_which_nobody_was_answered(self) -> None:
        if self.server.circuit.open:
            assert self.failures >= THRESHOLD
            assert self.server.now - self.last_answer >= PATIENCE

    @invariant()
    def at_most_one_probe_is_due(self) -> None:
        assert self.server.timers <= 1
        assert self.server.timers == 1 or not self.server.circuit.open

    @invariant()
    def probes_keep_their_distance(self) -> None:
        probes = self.server.probes
        assert all(later - earlier > INTERVAL * 0.99 for earlier, later in pairwise(probes))


TestCircuits = Circuits.TestCase
TestCircuits.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
