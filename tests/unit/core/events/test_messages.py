"""Messages of events: read as they were written, by this release and the next; anything else is refused."""

import json
from datetime import UTC
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.events.messages import MalformedMessageError, decode, encode
from app.core.events.model import Event
from tests.support.fakes import FakeClock

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
EVENT = Event(UUID(int=1), "task.created", UUID(int=2), FakeClock()(), {"title": "Ä"}, TRACEPARENT)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)
EVENTS = st.builds(
    Event,
    st.uuids(),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=80),
    st.none() | st.uuids(),
    st.datetimes(timezones=st.just(UTC)),
    st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES, max_size=4),
    st.none() | st.just(TRACEPARENT),
)


@given(EVENTS)
def test_an_event_is_read_as_it_was_written(event: Event) -> None:
    assert decode(encode(event), event.traceparent) == event
    assert decode(encode(event).decode(), event.traceparent) == event


@given(st.dictionaries(st.text(st.characters(codec="utf-8")).map(lambda name: f"new {name}"), VALUES))
def test_fields_that_a_later_release_adds_are_ignored(more: dict[str, Any]) -> None:
    body = {**json.loads(encode(EVENT)), **more}
    assert decode(json.dumps(body).encode(), TRACEPARENT) == EVENT


@given(st.binary() | st.text())
def test_junk_is_refused(body: bytes | str) -> None:
    with pytest.raises(MalformedMessageError):
        decode(body)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"version": 2}, "version"),
        ({"id": "hunter2"}, "id"),
        ({"name": "x" * 81}, "name"),
        ({"name": ""}, "name"),
        ({"user_id": 7}, "user_id"),
        ({"at": "2030-01-01T00:00:00"}, "at"),
        ({"payload": ["hunter2"]}, "payload"),
    ],
)
def test_what_is_wrong_is_named_without_its_value(change: dict[str, Any], fault: str) -> None:
    body = json.dumps({**json.loads(encode(EVENT)), **change}).encode()
    with pytest.raises(MalformedMessageError, match=f"^{fault}: ") as caught:
        decode(body)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("header", [None, "", "junk", 7, TRACEPARENT + "-more", "0" * 55])
def test_a_malformed_trace_context_is_ignored(header: object) -> None:
    assert decode(encode(EVENT), header).traceparent is None
