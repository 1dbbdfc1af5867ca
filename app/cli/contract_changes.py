"""Incompatible changes between two versions of all contracts.

A contract's file carries its version: a new version is a file beside the old one, which may go when nobody reads it.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from app.cli.openapi_changes import openapi_changes
from app.cli.schema_changes import SchemaChanges

Contracts = Mapping[str, Any]
"""Contents of the contracts' files by path."""


def incompatible_changes(old: Contracts, new: Contracts) -> Iterator[str]:
    """Yield each incompatible change: file, place in it, and what has changed."""
    for path, document in sorted(old.items()):
        if "openapi" in document:
            for change in openapi_changes(document, new.get(path, {"paths": {}})):
                yield f"{path}: {change}"
    yield from _event_changes(old, new)
    # While a release is rolled out, its consumers also read events of the older one.
    yield from _unmet(new, old, "of the older version")


def unmet_readings(contracts: Contracts) -> Iterator[str]:
    """Yield what consumers read and no event has."""
    published = {name for _, name, _ in _events(contracts)}
    for path, consumer, name, _ in _readings(contracts):
        if name not in published:
            yield f"{path}: {consumer} reads {name}, which nobody publishes"
    yield from _unmet(contracts, contracts, "of this version", removals=True)


def _event_changes(old: Contracts, new: Contracts) -> Iterator[str]:
    current = {name: event for _, name, event in _events(new)}
    read = {name for _, _, name, _ in _readings(old)}
    for path, name, event in _events(old):
        if name in current:
            for change in SchemaChanges(event, current[name], sent=True).between(event, current[name], name):
                yield f"{path}: {change}"
        elif name in read:
            yield f"{path}: removed, while consumers of the older version read it"


def _unmet(readers: Contracts, publishers: Contracts, which: str, *, removals: bool = False) -> Iterator[str]:
    """Yield what the consumers of one version need and the events of another, if it has them, do not have."""
    events = {name: event for _, name, event in _events(publishers)}
    for path, consumer, name, reading in _readings(readers):
        if event := events.get(name):
            comparison = SchemaChanges(reading, event, sent=True, removals=removals, absent="missing")
            for change in comparison.between(reading, event, name):
                yield f"{path}: {consumer} can't read the event {which}: {change}"


def _events(contracts: Contracts) -> Iterator[tuple[str, str, Any]]:
    """Yield path, name and schema of each event."""
    for path, document in sorted(contracts.items()):
        if "$schema" in document:
            yield path, document["properties"]["name"]["const"], document


def _readings(contracts: Contracts) -> Iterator[tuple[str, str, str, Any]]:
    """Yield path, consumer, event and schema of each reading."""
    for path, document in sorted(contracts.items()):
        if PurePosixPath(path).name == "consumers.json":
            for consumer, events in document.items():
                for name, reading in events.items():
                    yield path, consumer, name, reading
