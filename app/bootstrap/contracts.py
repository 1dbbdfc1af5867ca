"""Contracts of all services, as they are committed: one OpenAPI document a service, one JSON Schema an event, and what
each service's consumers read of events."""

from collections.abc import Iterable
from typing import Any

from app.bootstrap.background import core_consumers
from app.bootstrap.container import build, sample_settings
from app.bootstrap.http import create_app
from app.bootstrap.services import SERVICES
from app.core.events.contracts import ContractConsumer, reading_schema
from app.core.http.openapi import DOCUMENT_FILE, document
from app.core.sessions.events import EVENTS

CONSUMERS = "consumers.json"


def contracts() -> dict[str, Any]:
    """Return the contracts by path, relative to the folder `app`."""
    files: dict[str, Any] = {f"core/contracts/{event.title}.json": event.schema() for event in EVENTS}
    for name in SERVICES:
        container = build(sample_settings(), services=(name,))
        service = container.services[name]
        folder = f"{name}/contracts"
        files[f"{folder}/{DOCUMENT_FILE}"] = document(create_app(container))
        files |= {f"{folder}/{event.title}.json": event.schema() for event in service.events}
        if consumers := service.every_consumer:
            files[f"{folder}/{CONSUMERS}"] = _readings(consumers)
    files[f"core/contracts/{CONSUMERS}"] = _readings(core_consumers(container.platform.cache))
    return files


def _readings(consumers: Iterable[ContractConsumer[Any]]) -> dict[str, Any]:
    return {
        consumer.name: {event: reading_schema(event, payload) for event, payload in consumer.reads.items()}
        for consumer in consumers
    }
