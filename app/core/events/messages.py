"""Events as messages of a broker: JSON, with a version."""

import json
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from app.core.events.model import Event
from app.core.observability.span_context import trace_id

VERSION = 1
"""Version of the format. Fields may be added to a version; consumers ignore those that they do not know."""

TRACEPARENT_LENGTH = 55
"""Of version 00 of W3C Trace Context, as stored."""


class MalformedMessageError(Exception):
    """The message is no event that this release can read. The message of the error shows none of its values."""


class _Body(BaseModel):
    version: Literal[1]
    id: UUID
    name: str = Field(min_length=1, max_length=80)
    user_id: UUID | None
    at: AwareDatetime
    payload: dict[str, object]


def encode(event: Event) -> bytes:
    """Return the body of an event's message."""
    body = {
        "version": VERSION,
        "id": str(event.id),
        "name": event.name,
        "user_id": str(event.user_id) if event.user_id else None,
        "at": event.at.isoformat(),
        "payload": event.payload,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def decode(body: bytes | str, traceparent: object = None) -> Event:
    """Return the event of a message.

    Args:
        body: what `encode` returned, in this release or another one.
        traceparent: the message's header, if it has one; ignored if it is malformed.

    Raises:
        MalformedMessageError: the body is no event, or of a later version.
    """
    try:
        read = _Body.model_validate_json(body)
    except ValidationError as error:
        faults = {f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['type']}" for fault in error.errors()}
        raise MalformedMessageError(", ".join(sorted(faults))) from None
    traced = isinstance(traceparent, str) and len(traceparent) <= TRACEPARENT_LENGTH and trace_id(traceparent)
    return Event(read.id, read.name, read.user_id, read.at, read.payload, str(traceparent) if traced else None)
