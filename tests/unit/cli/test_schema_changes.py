"""Compatibility of JSON Schemas: additions pass, everything that breaks a reader or a sender is reported."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.schema_changes import SchemaChanges

Schema = dict[str, Any]

NAMES = st.sampled_from(["id", "title", "status", "items", "was", "note"])


def simple() -> st.SearchStrategy[Schema]:
    return st.one_of(
        st.just({"type": "string"}),
        st.just({"type": "string", "format": "date-time"}),
        st.just({"type": "boolean"}),
        st.builds(lambda most: {"type": "string", "maxLength": most}, st.integers(1, 500)),
        st.builds(lambda least: {"type": "integer", "minimum": least}, st.integers(-5, 5)),
        st.builds(lambda values: {"type": "string", "enum": sorted(values)}, st.sets(NAMES, min_size=2)),
        st.just({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]}),
        st.just({"$ref": "#/$defs/Shared"}),
    )


def objects(values: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.dictionaries(NAMES, values, min_size=1).flatmap(
        lambda fields: st.builds(
            lambda required: {"type": "object", "properties": fields, "required": sorted(required)},
            st.sets(st.sampled_from(sorted(fields))),
        )
    )


def nested(values: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.one_of(objects(values), st.builds(lambda items: {"type": "array", "items": items}, values))


DEFINITIONS = {"Shared": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}
DOCUMENTS = objects(st.recursive(simple(), nested, max_leaves=6)).map(lambda schema: {**schema, "$defs": DEFINITIONS})


def changes(old: Schema, new: Schema, *, sent: bool) -> list[str]:
    return list(SchemaChanges(old, new, sent=sent).between(old, new, "it"))


def places(document: Schema) -> list[Schema]:
    """Return the objects of a document that its root reaches."""
    own = {key: value for key, value in document.items() if key != "$defs"}
    shared = objects_in(document["$defs"]) if "'$ref'" in repr(own) else []
    return [document, *objects_in(list(own.values())), *shared]


def objects_in(schema: Any) -> list[Schema]:
    if isinstance(schema, list):
        return [place for each in schema for place in objects_in(each)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "object" else []
    return own + objects_in(list(schema.values()))


@given(DOCUMENTS, st.booleans())
def test_a_schema_is_compatible_with_itself(schema: Schema, sent: bool) -> None:
    assert changes(schema, deepcopy(schema), sent=sent) == []


@given(DOCUMENTS, simple(), st.data(), st.booleans())
def test_a_new_field_is_compatible(schema: Schema, added: Schema, data: st.DataObject, sent: bool) -> None:
    new = deepcopy(schema)
    place = data.draw(st.sampled_from(places(new)))
    place["properties"]["added"] = added
    place.setdefault("required", []).extend(["added"] if sent and data.draw(st.booleans()) else [])
    assert changes(schema, new, sent=sent) == []


@given(DOCUMENTS, simple(), st.data())
def test_a_newly_required_field_of_a_request_is_reported(schema: Schema, added: Schema, data: st.DataObject) -> None:
    new = deepcopy(schema)
    place = data.draw(st.sampled_from(places(new)))
    place["properties"]["added"] = added
    place.setdefault("required", []).append("added")
    assert [change for change in changes(schema, new, sent=False) if change.endswith("added: newly required")]


@given(DOCUMENTS, st.data(), st.booleans())
def test_a_removed_field_is_reported(schema: Schema, data: st.DataObject, sent: bool) -> None:
    new = deepcopy(schema)
    place = data.draw(st.sampled_from(places(new)))
    name = data.draw(st.sampled_from(sorted(place["properties"])))
    del place["properties"][name]
    place["required"] = [each for each in place.get("required", []) if each != name]
    assert any(change.endswith(f".{name}: removed") for change in changes(schema, new, sent=sent))


@given(DOCUMENTS, st.data())
def test_a_field_that_is_no_longer_always_sent_is_reported(schema: Schema, data: st.DataObject) -> None:
    old = deepcopy(schema)
    place = data.draw(st.sampled_from(places(old)))
    name = data.draw(st.sampled_from(sorted(place["properties"])))
    without = [each for each in place.get("required", []) if each != name]
    place["required"] = without
    new = deepcopy(old)
    place["required"] = [*without, name]
    assert any(change.endswith(f".{name}: no longer always there") for change in changes(old, new, sent=True))
    assert changes(old, new, sent=False) == []


@given(DOCUMENTS, st.data(), st.booleans())
def test_a_field_of_another_type_is_reported(schema: Schema, data: st.DataObject, sent: bool) -> None:
    new = deepcopy(schema)
    place = data.draw(st.sampled_from(places(new)))
    name = data.draw(st.sampled_from(sorted(place["properties"])))
    place["properties"][name] = {"type": "object"}
    assert changes(schema, new, sent=sent) != []


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
NULLABLE = {"anyOf": [TEXT, {"type": "null"}]}


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (TEXT, {}),
        (TEXT, NULLABLE),
        (TEXT, {"type": ["string", "null"]}),
        (NUMBER, {"type": "number"}),
        ({**TEXT, "maxLength": 10}, {**TEXT, "maxLength": 20}),
        ({**TEXT, "minLength": 2}, {**TEXT, "minLength": 1}),
        ({**NUMBER, "minimum": 1}, NUMBER),
        ({**TEXT, "format": "uuid"}, TEXT),
        ({**TEXT, "pattern": "^a$"}, TEXT),
        ({"type": "array", "items": TEXT}, {"type": "array", "items": NULLABLE}),
        ({"type": "array", "items": TEXT}, {"type": "array"}),
        ({"type": "object", "additionalProperties": False}, {"type": "object"}),
        (
            {"type": "object", "additionalProperties": NUMBER},
            {"type": "object", "additionalProperties": {"type": "number"}},
        ),
        (
            {"type": "object", "additionalProperties": False},
            {"type": "object", "additionalProperties": NUMBER},
        ),
        ({**TEXT, "not": {"const": "x"}}, TEXT),
        ({"type": "array", "uniqueItems": True}, {"type": "array"}),
    ],
)
def test_what_is_sent_may_become_narrower_and_what_is_accepted_wider(narrow: Schema, wide: Schema) -> None:
    assert changes(wide, narrow, sent=True) == []
    assert changes(narrow, wide, sent=False) == []
    assert len(changes(narrow, wide, sent=True)) == 1
    assert len(changes(wide, narrow, sent=False)) == 1


@pytest.mark.parametrize(
    ("old", "new", "sent", "accepted"),
    [
        (["a", "b"], ["a"], "it: value 'b' removed", "it: value 'b' removed"),
        (["a"], ["a", "b"], "it: value 'b' added", None),
        (["a"], None, "it: any value instead of 'a'", None),
        (None, ["a"], None, "it: only 'a' instead of any value"),
    ],
)
def test_values_of_an_enumeration(
    old: list[str] | None, new: list[str] | None, sent: str | None, accepted: str | None
) -> None:
    before, after = ({**TEXT, "enum": values} if values else TEXT for values in (old, new))
    assert changes(before, after, sent=True) == ([sent] if sent else [])
    assert changes(before, after, sent=False) == ([accepted] if accepted else [])


def test_each_change_says_where_and_what() -> None:
    old = {"type": "object", "properties": {"tasks": {"type": "array", "items": {"$ref": "#/$defs/Task"}}}}
    task = {"type": "object", "properties": {"due_at": TEXT, "version": NUMBER, "title": {**TEXT, "maxLength": 10}}}
    task["required"] = ["version"]
    later = {"type": "object", "properties": {"due_at": NULLABLE, "title": {**TEXT, "maxLength": 20}}}
    assert changes(old | {"$defs": {"Task": task}}, old | {"$defs": {"Task": later}}, sent=True) == [
        "it.tasks[].due_at: string has become null",
        "it.tasks[].version: removed",
        "it.tasks[].title: maxLength 10 has become 20",
    ]


def test_a_change_is_reported_wherever_the_schema_is_used() -> None:
    fields = {name: {"$ref": "#/$defs/Shared"} for name in ("a", "b")}
    old, new = ({"type": "object", "properties": fields, "$defs": {"Shared": shared}} for shared in (TEXT, NUMBER))
    assert changes(old, new, sent=True) == [
        "it.a: string has become integer",
        "it.b: string has become integer",
    ]


@pytest.mark.parametrize(("others", "fits"), [(True, True), (TEXT, True), (NUMBER, False), (False, False)])
def test_a_new_field_fits_what_the_old_schema_said_of_further_ones(others: Schema | bool, fits: bool) -> None:
    old = {"type": "object", "additionalProperties": others}
    assert (changes(old, {**old, "properties": {"added": TEXT}}, sent=True) == []) is fits


def test_an_object_that_may_be_null_is_compared_as_an_object() -> None:
    old = {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": TEXT, "b": TEXT}}]}
    assert changes(old, {"type": "object"}, sent=True) == ["it.a: removed", "it.b: removed"]


def test_a_schema_that_refers_to_itself_is_compared() -> None:
    def tree(value: Schema) -> Schema:
        node = {
            "type": "object",
            "properties": {"value": value, "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}},
        }
        return {"$ref": "#/$defs/Node", "$defs": {"Node": node}}

    assert changes(tree(TEXT), tree(TEXT), sent=True) == []
    assert changes(tree(TEXT), tree(NUMBER), sent=True) == ["it.value: string has become integer"]


def test_an_alternative_of_a_union_is_compared_with_its_like() -> None:
    def union(*tags: str, **fields: Schema) -> Schema:
        return {
            "oneOf": [
                {"type": "object", "properties": {"tag": {**TEXT, "const": tag}, **fields}, "required": ["tag"]}
                for tag in tags
            ]
        }

    assert changes(union("a", "b"), union("a", "b", "c"), sent=False) == []
    assert changes(union("a", "b", x=TEXT), union("a", "b"), sent=True) == ["it.x: removed", "it.x: removed"]
    assert changes(union("a", "b"), union("a"), sent=False) == ["it.tag: value 'b' removed"]
