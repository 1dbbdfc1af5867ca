"""Clock and identifier factory, injected so that tests can control them."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

Clock = Callable[[], datetime]
"""Returns the time, aware and in UTC."""

NewId = Callable[[], UUID]
"""Returns a new identifier; UUIDv7, so that identifiers sort by their making."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id() -> UUID:
    # imported here, because the rules need no such package where a test brings its own identifiers
    import uuid_utils.compat

    return uuid_utils.compat.uuid7()
