"""Contracts of events, to hold published events against."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import lru_cache
from importlib import import_module
from typing import Any

import jsonschema_rs

from app.bootstrap.services import SERVICES
from app.core.events.contracts import EventType
from app.core.events.model import Event


def event_types() -> list[EventType]:
    """Return the types of events of all services, and of what they share."""
    folders = (*SERVICES, "core.sessions")
    return [event for name in folders for event in import_module(f"app.{name}.events").EVENTS]


def violations(event: Event) -> Iterator[str]:
    """Yield what an event that is being published has against its contract; nothing for events that tests make up."""
    validators = _validators()
    if event.name in validators:
        for error in validators[event.name].iter_errors(as_json(event)):
            place = ".".join(map(str, error.instance_path))
            yield f"{event.name} {place}: {error.message}"
    elif event.name.partition(".")[0] in {name.partition(".")[0] for name in validators}:
        yield f"{event.name}: has no contract"


def as_json(event: Event) -> dict[str, Any]:
    """Return the whole event as JSON-serialisable values."""
    values = {**vars(event), "id": str(event.id), "at": event.at.isoformat(), "payload": dict(event.payload)}
    return {**values, "user_id": str(event.user_id) if event.user_id else None}


def closed(schema: Any) -> Any:
    """Return a schema whose objects have no fields but those that it names."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    return {**inner, "additionalProperties": False} if schema.get("type") == "object" else inner


def part(schema: Mapping[str, Any], value: Any, document: Mapping[str, Any]) -> Any:
    """Return of a value only the fields that a schema names."""
    if "$ref" in schema:
        return part(document["$defs"][schema["$ref"].rpartition("/")[2]], value, document)
    if isinstance(value, list):
        return [part(schema["items"], each, document) for each in value]
    if not isinstance(value, dict):
        return value
    fields = schema.get("properties", {})
    return {name: part(fields[name], each, document) for name, each in value.items() if name in fields}


def with_more(value: Any) -> Any:
    """Return a value whose objects all have further fields."""
    if isinstance(value, list):
        return [with_more(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: with_more(each) for name, each in value.items()} | {"added": {"later": [1]}, "Added too": None}


@lru_cache(maxsize=1)
def _validators() -> dict[str, Any]:
    return {
        event.name: jsonschema_rs.validator_for(closed(deepcopy(event.schema())), validate_formats=True)
        for event in event_types()
    }
