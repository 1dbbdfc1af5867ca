"""Contracts of events as JSON Schema: what a publisher sends, and what a consumer reads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from app.core.events.model import ABOUT_NOBODY, Consumer, Work_contra

DIALECT = "https://json-schema.org/draft/2020-12/schema"

VERSION = re.compile(r"\.v([2-9]|[1-9]\d+)$", re.ASCII)

USER = {"type": "string", "format": "uuid"}
NOBODY = {"type": "null"}

Id = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


@dataclass(frozen=True)
class EventType:
    """A type of event that a service publishes.

    Args:
        name: as in Event. A version after the first is part of it, such as `task.created.v2`: an event of its own,
            published beside the former version for as long as somebody reads that.
        description: what has happened.
        payload: a TypedDict.
    """

    name: str
    description: str
    payload: type

    @property
    def version(self) -> int:
        return int(found[1]) if (found := VERSION.search(self.name)) else 1

    @property
    def title(self) -> str:
        """The name and the version: the name of its schema's file."""
        return self.name if VERSION.search(self.name) else f"{self.name}.v1"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the whole event."""
        user = {**USER, "description": "Whose data the event concerns"}
        head = {"$schema": DIALECT, "$id": f"urn:task-manager:event:{self.title}", "title": self.title}
        properties = {
            "id": {"type": "string", "format": "uuid", "description": "The same in each delivery"},
            "name": {"type": "string", "const": self.name},
            "user_id": NOBODY if self.name in ABOUT_NOBODY else user,
            "at": {"type": "string", "format": "date-time", "description": "When it happened"},
            "traceparent": {
                "anyOf": [{"type": "string"}, {"type": "null"}],
                "description": "Trace context (W3C) of what caused the event",
            },
        }
        required = ["id", "name", "user_id", "at", "payload"]
        return {**head, "description": self.description, **_event(properties, required, self.payload)}


class ContractConsumer(Consumer[Work_contra], Protocol[Work_contra]):
    """A consumer that says what it reads."""

    @property
    def reads(self) -> Mapping[str, type]:
        """What it needs of each event's payload, a TypedDict, by name of the event."""


def reading_schema(name: str, payload: type) -> dict[str, Any]:
    """Return the JSON Schema of what a consumer needs of an event: of the user's id and a part of the payload."""
    return _event({"user_id": NOBODY if name in ABOUT_NOBODY else USER}, ["user_id", "payload"], payload)


class _WithoutFieldTitles(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes of the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 part of the interface
        return False


def _event(properties: dict[str, Any], required: list[str], payload: type) -> dict[str, Any]:
    schema = TypeAdapter(payload).json_schema(schema_generator=_WithoutFieldTitles)
    definitions = schema.pop("$defs", {})
    whole = {"type": "object", "properties": {**properties, "payload": schema}, "required": required}
    return {**whole, "$defs": definitions} if definitions else whole
