"""Contracts of all services, as they are committed: one OpenAPI document a service, one JSON Schema an event, and what
each service's consumers read of events."""

from collections.abc import Iterable
from typing import Any

from app.bootstrap.container import Container, build, sample_settings
from app.bootstrap.http import create_app
from app.bootstrap.services import SERVICES
from app.core.clock import new_id, utc_now
from app.core.events.contracts import ContractConsumer, reading_schema
from app.core.http.openapi import PREFIX, document
from app.core.jobs.erasure import EraseOnDeletion

OPENAPI = f"openapi.{PREFIX.rpartition('/')[2]}.json"
CONSUMERS = "consumers.json"


def contracts() -> dict[str, Any]:
    """Return the contracts by path, relative to the folder `app`."""
    files: dict[str, Any] = {f"core/contracts/{CONSUMERS}": _readings([EraseOnDeletion("jobs", utc_now, new_id)])}
    for name in SERVICES:
        container = build(sample_settings(), services=(name,))
        folder = f"{name}/contracts"
        files[f"{folder}/{OPENAPI}"] = document(create_app(container))
        files |= {f"{folder}/{event.title}.json": event.schema() for event in container.services[name].events}
        if consumers := consumers_of(container, name):
            files[f"{folder}/{CONSUMERS}"] = _readings(consumers)
    return files


def consumers_of(container: Container, name: str) -> list[ContractConsumer[Any]]:
    """Return the consumers of a service, with the one that every service with data of users has."""
    service = container.services[name]
    erasing = [EraseOnDeletion(name, utc_now, new_id)] if service.erase else []
    return [*service.consumers, *erasing]


def _readings(consumers: Iterable[ContractConsumer[Any]]) -> dict[str, Any]:
    return {
        consumer.name: {event: reading_schema(payload) for event, payload in consumer.reads.items()}
        for consumer in consumers
    }
