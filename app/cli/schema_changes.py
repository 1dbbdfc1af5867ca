"""Incompatible changes between two versions of a JSON Schema.

Written for the schemas that pydantic makes. A keyword that is not compared counts as a restriction, which has to stay:
so a harmless change may be reported, and no harmful one is missed.
"""

from collections.abc import Collection, Iterator
from typing import Any

Schema = dict[str, Any]

ANNOTATIONS = frozenset(
    {"$comment", "$defs", "$id", "$ref", "$schema", "default", "deprecated", "description", "discriminator", "example"}
    | {"examples", "readOnly", "title", "writeOnly"}
)
LOWER_BOUNDS = frozenset({"exclusiveMinimum", "minItems", "minLength", "minProperties", "minimum"})
UPPER_BOUNDS = frozenset({"exclusiveMaximum", "maxItems", "maxLength", "maxProperties", "maximum"})
COMPARED = frozenset({"additionalProperties", "const", "enum", "items", "properties", "required", "type"})
ASIDE = ANNOTATIONS | LOWER_BOUNDS | UPPER_BOUNDS | COMPARED
NOTHING: Schema = {"not": {}}


class SchemaChanges:
    """Compares schemas of two documents.

    What is sent (responses, events) must fit the old schema, for those who know that one; what was accepted (requests)
    must fit the new one. A field that is no longer there is reported in both.

    Args:
        old, new: the documents that references of the schemas point into.
        sent: whether the schemas describe what is sent, rather than what is accepted.
        removals: whether to report optional fields and values that are no longer sent: a consumer can do without.
        absent: what to call a field that the old schema has and the new one does not have.
    """

    def __init__(self, old: Schema, new: Schema, *, sent: bool, removals: bool = True, absent: str = "removed") -> None:
        self._old = old
        self._new = new
        self._sent = sent
        self._removals = removals
        self._absent = absent
        self._under_way: set[tuple[str, str]] = set()

    def between(self, old: Schema | bool, new: Schema | bool, where: str) -> Iterator[str]:
        """Yield each incompatible change, as `field: what has changed`.

        Args:
            where: what the schemas describe, in front of the fields.
        """
        pair = _reference(old), _reference(new)
        if pair in self._under_way:
            return
        if all(pair):
            self._under_way.add(pair)
        olds, news = list(_alternatives(self._old, old)), list(_alternatives(self._new, new))
        # Each alternative of the narrower side must fit one of the wider side.
        for narrow in news if self._sent else olds:
            tries = []
            for wide in olds if self._sent else news:
                before, after = (wide, narrow) if self._sent else (narrow, wide)
                other = not _same_type(narrow, wide)
                tries.append((other, list(self._of_alternative(before, after, where))))
            yield from min(tries, key=lambda found: (found[0], len(found[1])))[1]
        self._under_way.discard(pair)

    def _of_alternative(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        narrow, wide = (new, old) if self._sent else (old, new)
        if narrow == NOTHING:
            return
        if not _same_type(narrow, wide):
            yield f"{where}: {_type(old)} has become {_type(new)}"
            return
        yield from self._values(old, new, where)
        for keyword in sorted(narrow.keys() | wide.keys()):
            if keyword in wide and _stricter(keyword, wide[keyword], narrow.get(keyword)):
                yield f"{where}: {keyword} {_said(old, keyword)} has become {_said(new, keyword)}"
        if "items" in wide:
            yield from self.between(old.get("items", True), new.get("items", True), f"{where}[]")
        yield from self._fields(old, new, where)

    def _values(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        before, after = _enumerated(old), _enumerated(new)
        if before is not None and after is not None:
            for value in before:
                if value not in after and (self._removals or not self._sent):
                    yield f"{where}: value {value!r} removed"
            for value in after:
                if value not in before and self._sent:
                    yield f"{where}: value {value!r} added"
        elif before is not None and self._sent:
            yield f"{where}: any value instead of {', '.join(map(repr, before))}"
        elif after is not None and not self._sent:
            yield f"{where}: only {', '.join(map(repr, after))} instead of any value"

    def _fields(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        required = set(old.get("required", ()))
        others_before, others_after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        for name, schema in before.items():
            if name in after:
                yield from self.between(schema, after[name], f"{where}.{name}")
            elif self._removals or name in required:
                yield f"{where}.{name}: {self._absent}"
        if self._sent and others_before is not True:
            for name in after.keys() - before.keys():
                yield from self.between(others_before, after[name], f"{where}.{name}")
        yield from self._required(required, set(new.get("required", ())), after.keys(), where)
        if (others_before, others_after) != (True, True):
            yield from self.between(others_before, others_after, f"{where}.*")

    def _required(self, old: set[str], new: set[str], there: Collection[str], where: str) -> Iterator[str]:
        if self._sent:
            yield from (f"{where}.{name}: no longer always there" for name in sorted((old - new) & set(there)))
        else:
            yield from (f"{where}.{name}: newly required" for name in sorted(new - old))


def _alternatives(document: Schema, schema: Schema | bool) -> Iterator[Schema]:
    """Yield the alternatives of a schema without references at their root."""
    if isinstance(schema, bool):
        yield {} if schema else NOTHING
        return
    if "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        yield from _alternatives(document, {**target, **rest})
        return
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            rest = {key: value for key, value in schema.items() if key != keyword}
            for option in schema[keyword]:
                for alternative in _alternatives(document, option):
                    yield from _alternatives(document, {**alternative, **rest})
            return
    if isinstance(schema.get("type"), list):
        for name in schema["type"]:
            yield {**schema, "type": name}
        return
    yield schema


def _reference(schema: Schema | bool) -> str:
    return str(schema.get("$ref", "")) if isinstance(schema, dict) else ""


def _same_type(narrow: Schema, wide: Schema) -> bool:
    """Return whether values of the narrower schema have a type of the wider one."""
    if wide == NOTHING:
        return narrow == NOTHING
    return wide.get("type") in (None, narrow.get("type")) or (narrow.get("type"), wide["type"]) == ("integer", "number")


def _type(schema: Schema) -> str:
    return "nothing" if schema == NOTHING else str(schema.get("type", "any type"))


def _enumerated(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _stricter(keyword: str, wide: Any, narrow: Any) -> bool:
    """Return whether the wider schema's keyword allows less than the narrower one's."""
    if keyword in LOWER_BOUNDS:
        return narrow is None or bool(narrow < wide)
    if keyword in UPPER_BOUNDS:
        return narrow is None or bool(narrow > wide)
    return keyword not in ASIDE and bool(narrow != wide)


def _said(schema: Schema, keyword: str) -> str:
    return repr(schema[keyword]) if keyword in schema else "nothing"
