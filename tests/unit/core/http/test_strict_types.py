"""Booleans and numbers of JSON bodies: only what the OpenAPI document says, no 0 for false and no text for a number."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.bootstrap.container import build, sample_settings
from app.bootstrap.http import create_app
from app.core.http.openapi import document
from app.core.http.schemas import RequestModel

WRONG = {"boolean": (0, 1, "true", "no", None), "integer": ("1", True, 1.0), "number": ("1", True)}


def models(kind: type[RequestModel] = RequestModel) -> dict[str, type[RequestModel]]:
    """Return all request models by their names."""
    found = {each.__name__: each for each in kind.__subclasses__()}
    return found | {name: model for each in found.values() for name, model in models(each).items()}


def typed_fields() -> list[tuple[str, str, str]]:
    """Return model, field and type of each boolean and number that a JSON body may hold."""
    described: dict[str, Any] = document(create_app(build(sample_settings())))
    bodies = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
        for path in described["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "$ref" in _json(operation)
    }
    return [
        (name, field, schema["type"])
        for name in sorted(bodies)
        for field, schema in described["components"]["schemas"][name].get("properties", {}).items()
        if schema.get("type") in WRONG
    ]


def _json(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    schema: dict[str, Any] = content.get("application/json", {}).get("schema", {})
    return schema


@pytest.mark.parametrize(("name", "field", "kind"), typed_fields())
def test_a_value_of_another_type_is_rejected(name: str, field: str, kind: str) -> None:
    for value in WRONG[kind]:
        with pytest.raises(ValidationError) as refused:
            models()[name].model_validate({field: value})
        assert (field,) in {error["loc"] for error in refused.value.errors()}, value
