"""Schemas of operators' own kinds, as their API servers would read them, and stricter."""

from typing import Any


def strict(part: dict[str, Any]) -> dict[str, Any]:
    """The schema, refusing fields that it does not name: an API server would drop them and say nothing.

    What is left open by the operator stays open. Patterns are left out: they are Go's.
    """
    made = {key: value for key, value in part.items() if key != "pattern"}
    if "properties" in part:
        fields = {name: strict(field) for name, field in part["properties"].items()}
        made |= {"properties": fields, "additionalProperties": False}
    if "items" in part:
        made["items"] = strict(part["items"])
    if part.get("x-kubernetes-preserve-unknown-fields"):
        made["additionalProperties"] = True
    return made
