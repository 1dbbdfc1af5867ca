"""The committed contracts: up to date, complete, and enough for every consumer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap.container import build, sample_settings
from app.bootstrap.contracts import contracts
from app.bootstrap.http import create_app
from app.bootstrap.services import SERVICES
from app.cli.contract_changes import unmet_readings
from app.cli.contracts import GLOB, ROOT, rendered, write
from app.core.http.openapi import DOCUMENT_FILE, document


@pytest.fixture(scope="module")
def current() -> dict[str, Any]:
    return contracts()


def test_the_committed_files_are_those_of_this_version(current: dict[str, Any]) -> None:
    committed = {path.relative_to(ROOT / "app").as_posix(): path.read_text() for path in ROOT.glob(GLOB)}
    assert committed.keys() == current.keys()
    outdated = [path for path, contract in current.items() if committed[path] != rendered(contract)]
    assert outdated == [], "write them with `make contracts`"


def test_writing_replaces_all_files(current: dict[str, Any], tmp_path: Path) -> None:
    for path in current:
        (tmp_path / "app" / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "app/tasks/contracts/task.forgotten.v1.json").write_text("{}")
    assert write(tmp_path) == 0
    written = {
        path.relative_to(tmp_path / "app").as_posix(): json.loads(path.read_text()) for path in tmp_path.glob(GLOB)
    }
    assert written == current


def test_the_services_documents_together_are_the_whole_document(current: dict[str, Any]) -> None:
    whole = document(create_app(build(sample_settings())))
    parts = [current[f"{name}/contracts/{DOCUMENT_FILE}"] for name in SERVICES]
    assert whole["paths"] == _together(*(part["paths"] for part in parts))
    for kind in whole["components"]:
        assert whole["components"][kind] == _together(*(part["components"].get(kind, {}) for part in parts)), kind
    assert all(part["info"] == whole["info"] for part in parts)


def test_each_document_is_valid_and_has_no_component_of_another_service(current: dict[str, Any]) -> None:
    from openapi_spec_validator import validate

    for name in SERVICES:
        spec = current[f"{name}/contracts/{DOCUMENT_FILE}"]
        validate(spec)
        unused = set(spec["components"]["schemas"]) - set(_references(spec))
        assert unused == set(), name


def test_every_consumer_finds_what_it_reads_in_the_events(current: dict[str, Any]) -> None:
    assert list(unmet_readings(current)) == []


def _together(*parts: dict[str, Any]) -> dict[str, Any]:
    """Return the union of dictionaries that agree where they overlap."""
    union: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            assert union.setdefault(key, value) == value, key
    return union


def _references(value: Any) -> Iterator[str]:
    """Yield the names of the schemas that are referred to."""
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(each, str) and each.startswith("#/components/schemas/"):
            yield each.rpartition("/")[2]
        yield from _references(each)
