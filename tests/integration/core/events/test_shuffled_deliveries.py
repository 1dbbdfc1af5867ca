"""Projections of other services' state: the same after any order and repetition of the events."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.analytics.report_subscriptions import ReportSubscriptionProjection
from app.core.clock import new_id
from app.core.database.engine import Database
from app.core.events.dispatcher import Dispatcher, delivery_counter
from app.core.events.model import Consumer, Event
from app.notifications.consumers import RecipientProjection
from tests.support.fakes import FakeClock
from tests.support.storage import SystemStorage, SystemUnitOfWork

FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""One user per example, so that all share a database."""


@pytest.fixture
def storage(database: Database) -> SystemStorage:
    return SystemStorage(database)


def deliver(storage: SystemStorage, events: list[Event], seed: int) -> None:
    """Deliver events as an unordered at-least-once transport does: in any order, some twice, in batches of any size."""
    chance = random.Random(seed)  # noqa: S311 no secret
    consumers: list[Consumer[SystemUnitOfWork]] = [RecipientProjection(), ReportSubscriptionProjection()]
    dispatcher = Dispatcher(storage, consumers, FakeClock(), attempts=1, first=1, outcomes=delivery_counter())
    shuffled = events + [event for event in events if chance.random() < 0.3]
    chance.shuffle(shuffled)
    while shuffled:
        size = chance.randint(1, 4)
        dispatcher.deliver(shuffled[:size])
        shuffled = shuffled[size:]
    with storage.read() as work:
        assert work.inbox.failures() == {}


@FEW
@given(st.lists(st.booleans(), min_size=1, max_size=8), st.integers())
def test_the_last_choice_of_the_weekly_report_counts(storage: SystemStorage, choices: list[bool], seed: int) -> None:
    user_id, clock = uuid4(), FakeClock()
    events = [
        Event(new_id(), "preferences.changed", user_id, clock() + timedelta(hours=hour), {"weekly_report": choice})
        for hour, choice in enumerate(choices)
    ]
    deliver(storage, events, seed)
    with storage.read() as work:
        assert work.subscriptions.among([user_id]) == ([user_id] if choices[-1] else [])


@FEW
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8), st.integers())
def test_the_last_address_is_the_one_that_gets_mail(storage: SystemStorage, names: list[str], seed: int) -> None:
    user_id, clock = uuid4(), FakeClock()
    events = [
        Event(
            new_id(),
            "user.changed" if hour else "user.registered",
            user_id,
            clock() + timedelta(hours=hour),
            {"email": f"{name}@example.org", "name": name, "verified": False},
        )
        for hour, name in enumerate(names)
    ]
    deliver(storage, events, seed)
    with storage.read() as work:
        recipient = work.recipients.get(user_id)
    assert recipient is not None
    assert (recipient.email, recipient.name) == (f"{names[-1]}@example.org", names[-1])
