"""Dispatcher: delivers events to the consumers of one service, and retries failed deliveries."""

from collections.abc import Sequence
from typing import Generic

import structlog
from prometheus_client import Counter

from app.core.clock import Clock
from app.core.database.retries import retried
from app.core.database.unit_of_work import Storage, W
from app.core.events.model import SESSION_ENDED, USER_DELETED, Consumer, Event, span_attributes
from app.core.jobs.backoff import backoff
from app.core.observability.span_context import NO_SPANS, Spans, trace_id

RETRIED = 20
"""Failed deliveries that one transaction retries."""

ABOUT_DELETED_USERS = frozenset({USER_DELETED, SESSION_ENDED})
"""Events that restore no data, and are delivered also when their user is deleted."""

log = structlog.get_logger(__name__)


def delivery_counter() -> Counter:
    """Return an unregistered counter of deliveries, by event, consumer and outcome."""
    return Counter(
        "task_manager_events_delivered",
        "Deliveries to consumers: handled, repeated (handled before), failed, given_up (dead-lettered)",
        ["event", "consumer", "outcome"],
        registry=None,
    )


class Dispatcher(Generic[W]):
    """Delivers events to a service's consumers, in the service's own transactions.

    A consumer's writes and its inbox row are committed together, so that each event has its effect once, however often
    it is delivered. A failing consumer delays neither other consumers nor other events.

    Args:
        storage: the service's storage.
        consumers: the service's consumers.
        clock: time.
        attempts: deliveries of an event to a consumer before it is dead-lettered.
        first: seconds before the first retry; the delay doubles for each further one.
        outcomes: counter of deliveries.
        spans: records spans.
        origin: exchange and queue of RabbitMQ that events come by; None without it.

    Attributes:
        subscribed: names of the events that a consumer subscribes to.
    """

    def __init__(
        self,
        storage: Storage[W],
        consumers: Sequence[Consumer[W]],
        clock: Clock,
        *,
        attempts: int,
        first: float,
        outcomes: Counter,
        spans: Spans = NO_SPANS,
        origin: tuple[str, str] | None = None,
    ) -> None:
        self._storage = storage
        self._consumers = {consumer.name: consumer for consumer in consumers}
        self.subscribed = frozenset(name for consumer in consumers for name in consumer.events)
        self._clock = clock
        self._attempts = attempts
        self._first = first
        self._spans = spans
        self._origin = origin
        self._outcomes = outcomes

    @retried
    def deliver(self, events: Sequence[Event]) -> None:
        """Deliver events to the consumers that subscribe to them, in one transaction; in none without a subscriber."""
        # A relay that was interrupted publishes a batch again: both copies may be here.
        wanted = list({event.id: event for event in events if event.name in self.subscribed}.values())
        if not wanted:
            return
        with self._storage.write() as work:
            relevant = self._relevant(work, wanted)
            for consumer in self._consumers.values():
                if own := [event for event in relevant if event.name in consumer.events]:
                    self._deliver(work, consumer, own)

    def run_once(self) -> bool:
        """Retry failed deliveries that are due; return whether there were any."""
        names = self._consumers.keys()
        with self._storage.read() as work:
            if not work.inbox.any_due(names, self._clock()):
                return False
        with self._storage.write() as work:
            due = work.inbox.claim_failed(names, self._clock(), RETRIED)
            for name, event, failures in due:
                relevant = self._relevant(work, [event])
                if not relevant or self._deliver(work, self._consumers[name], relevant, failures):
                    work.inbox.settle(name, event.id)
        return bool(due)

    def _relevant(self, work: W, events: Sequence[Event]) -> list[Event]:
        """Drop late events of deleted users, which would restore their data."""
        users = {event.user_id for event in events if event.user_id}
        deleted = work.deleted_users.among(users)
        return [event for event in events if event.user_id not in deleted or event.name in ABOUT_DELETED_USERS]

    def _deliver(self, work: W, consumer: Consumer[W], events: Sequence[Event], failures: int = 0) -> bool:
        """Let a consumer handle events together or, if one fails, one by one; return whether all were handled."""
        try:
            with work.savepoint():
                new = work.inbox.record_handled(consumer.name, [event.id for event in events], self._clock())
                for event in events:
                    if event.id in new:
                        attributes = span_attributes("process", event, self._destination(event))
                        with self._spans.work(f"{consumer.name} {event.name}", event.traceparent, **attributes):
                            consumer.handle(work, event)
        except Exception as error:  # noqa: BLE001 a consumer's exception must not keep events from other consumers
            if len(events) > 1:
                handled = [self._deliver(work, consumer, [event]) for event in events]
                return all(handled)
            self._record_failure(work, consumer, events[0], failures + 1, error)
            return False
        for event in events:
            self._count(event, consumer, "handled" if event.id in new else "repeated")
        return True

    def _record_failure(self, work: W, consumer: Consumer[W], event: Event, failures: int, error: Exception) -> None:
        dead = failures >= self._attempts
        due_at = None if dead else self._clock() + backoff(self._first, failures)
        work.inbox.record_failure(consumer.name, event, type(error).__name__[:100], due_at)
        self._count(event, consumer, "given_up" if dead else "failed")
        names = {"consumer": consumer.name, "name": event.name, "event_id": str(event.id), "failures": failures}
        if event.traceparent:  # the consumer's span has ended
            names["trace_id"] = trace_id(event.traceparent)
        if dead:
            log.error("event given up", **names, exc_info=error)
        else:
            log.warning("event not handled", **names, exc_info=error)

    def _destination(self, event: Event) -> str | None:
        return f"{self._origin[0]}:{event.name}:{self._origin[1]}" if self._origin else None

    def _count(self, event: Event, consumer: Consumer[W], outcome: str) -> None:
        self._outcomes.labels(event.name, consumer.name, outcome).inc()
