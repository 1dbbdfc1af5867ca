"""Clock and id factory, injected so that tests can control them."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

Clock = Callable[[], datetime]
"""Returns the current time, timezone-aware, in UTC."""

NewId = Callable[[], UUID]
"""Returns a new id: a UUIDv7, so that ids sort by creation time."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id() -> UUID:
    # imported here: tests that inject their own ids need no such package
    import uuid_utils.compat

    return uuid_utils.compat.uuid7()
