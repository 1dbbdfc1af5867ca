"""Cursors: round trip, and binding to their list."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import MalformedError
from app.core.security.keys import derive
from app.tasks.cursors import Cursors
from app.tasks.model import Status
from app.tasks.query import Filters, Position, Query, Sort

USER = UUID(int=1)
CURSORS = Cursors(derive("a secret", "cursor"))

queries = st.builds(
    Query,
    filters=st.builds(Filters, status=st.none() | st.sampled_from(Status), q=st.none() | st.text(max_size=5)),
    sort=st.sampled_from(Sort),
)


@st.composite
def places(draw: st.DrawFn) -> tuple[Query, Position]:
    query = draw(queries)
    times = st.datetimes(timezones=st.just(UTC))
    by_field = {"title": st.text(), "due_at": st.none() | times}
    return query, Position(draw(by_field.get(query.sort.field, times)), draw(st.uuids()))


@given(places())
def test_a_cursor_round_trips(place: tuple[Query, Position]) -> None:
    query, position = place
    assert CURSORS.decode(USER, query, CURSORS.encode(USER, query, position)) == position


@given(places(), queries)
def test_a_cursor_is_rejected_for_another_list(place: tuple[Query, Position], other: Query) -> None:
    query, position = place
    cursor = CURSORS.encode(USER, query, position)
    if (other.filters, other.sort) != (query.filters, query.sort):
        with pytest.raises(MalformedError):
            CURSORS.decode(USER, other, cursor)
    with pytest.raises(MalformedError):
        CURSORS.decode(UUID(int=2), query, cursor)
    with pytest.raises(MalformedError):
        Cursors(derive("another secret", "cursor")).decode(USER, query, cursor)


@given(st.text(max_size=80))
def test_forged_cursors_are_rejected(cursor: str) -> None:
    with pytest.raises(MalformedError):
        CURSORS.decode(USER, Query(), cursor)


def test_the_page_size_may_change_between_pages() -> None:
    position = Position(datetime(2030, 1, 1, tzinfo=UTC), UUID(int=5))
    cursor = CURSORS.encode(USER, Query(limit=1), position)
    assert CURSORS.decode(USER, replace(Query(), limit=50), cursor) == position
