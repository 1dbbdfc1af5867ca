"""Incompatible changes between two versions of an OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from app.cli.schema_changes import SchemaChanges

Document = dict[str, Any]


def openapi_changes(old: Document, new: Document) -> Iterator[str]:
    """Yield each change that breaks a client of the old document. An operation may go once it was marked deprecated."""
    comparison = _Comparison(old, new)
    for path, item in old["paths"].items():
        for method, operation in item.items():
            where = f"{method.upper()} {path}"
            if later := new["paths"].get(path, {}).get(method):
                yield from comparison.operation(operation, later, where)
            elif not operation.get("deprecated"):
                yield f"{where}: removed, without having been deprecated"


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self._old = old
        self._new = new
        self._accepted = SchemaChanges(old, new, sent=False)
        self._sent = SchemaChanges(old, new, sent=True)

    def operation(self, old: Document, new: Document, where: str) -> Iterator[str]:
        if old.get("operationId") != new.get("operationId"):
            yield f"{where}: operationId {old.get('operationId')} has become {new.get('operationId')}"
        if new.get("security") and not old.get("security"):
            yield f"{where}: needs authorisation now"
        yield from self._parameters(old, new, where)
        yield from self._body(old, new, where)
        yield from self._responses(old, new, where)

    def _parameters(self, old: Document, new: Document, where: str) -> Iterator[str]:
        before, after = _parameters(self._old, old), _parameters(self._new, new)
        for key, parameter in before.items():
            place = f"{where}: {key[0]} parameter {key[1]}"
            if key not in after:
                yield f"{place}: removed"
            else:
                yield from self._accepted.between(parameter["schema"], after[key]["schema"], place)
        for key, parameter in after.items():
            if parameter.get("required") and not before.get(key, {}).get("required"):
                yield f"{where}: {key[0]} parameter {key[1]}: newly required"

    def _body(self, old: Document, new: Document, where: str) -> Iterator[str]:
        before, after = (
            _resolved(self._old, old.get("requestBody", {})),
            _resolved(self._new, new.get("requestBody", {})),
        )
        if after.get("required") and not before.get("required"):
            yield f"{where}: request body: newly required"
        yield from _contents(before, after, self._accepted, f"{where}: request body")

    def _responses(self, old: Document, new: Document, where: str) -> Iterator[str]:
        for status, response in old["responses"].items():
            place = f"{where}: response {status}"
            if status not in new["responses"]:
                yield f"{place}: removed"
                continue
            before, after = _resolved(self._old, response), _resolved(self._new, new["responses"][status])
            yield from _contents(before, after, self._sent, place)
            for name in before.get("headers", {}).keys() - after.get("headers", {}).keys():
                yield f"{place}: header {name}: removed"


def _contents(old: Document, new: Document, schemas: SchemaChanges, where: str) -> Iterator[str]:
    after = new.get("content", {})
    for media_type, content in old.get("content", {}).items():
        if media_type not in after:
            yield f"{where}: {media_type}: removed"
        else:
            yield from schemas.between(content.get("schema", True), after[media_type].get("schema", True), where)


def _parameters(document: Document, operation: Document) -> dict[tuple[str, str], Document]:
    parameters = (_resolved(document, parameter) for parameter in operation.get("parameters", []))
    return {(parameter["in"], parameter["name"]): parameter for parameter in parameters}


def _resolved(document: Document, item: Document) -> Document:
    """Return what a reference to one of the document's components points to."""
    if "$ref" not in item:
        return item
    _, kind, name = item["$ref"].removeprefix("#/").split("/")
    component: Document = document["components"][kind][name]
    return component
