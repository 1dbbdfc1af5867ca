"""Compatibility of OpenAPI documents."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from app.cli.openapi_changes import openapi_changes

TASK = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "status": {"type": "string", "enum": ["todo", "done"]}},
    "required": ["title", "status"],
}
JSON = "application/json"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/tasks": {
            "get": {
                "operationId": "list_tasks",
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}],
                "responses": {
                    "200": {
                        "headers": {"ETag": {}},
                        "content": {
                            JSON: {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Task"}}}
                        },
                    },
                    "422": {"$ref": "#/components/responses/Problem"},
                },
            },
            "post": {
                "operationId": "create_task",
                "requestBody": {
                    "content": {JSON: {"schema": {"$ref": "#/components/schemas/NewTask"}}, "text/csv": {}},
                },
                "responses": {"201": {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Task"}}}}},
            },
        },
        "/old": {"get": {"operationId": "old", "deprecated": True, "responses": {}}},
    },
    "components": {
        "schemas": {
            "Task": TASK,
            "NewTask": {**deepcopy(TASK), "required": ["title"], "additionalProperties": False},
        },
        "responses": {"Problem": {"content": {"application/problem+json": {"schema": {"type": "object"}}}}},
    },
}

LISTING, CREATION = ("paths", "/tasks", "get"), ("paths", "/tasks", "post")


def changed(change: Callable[[dict[str, Any]], object], *path: str) -> list[str]:
    """Return what is reported when a part of the document is changed."""
    new = deepcopy(DOCUMENT)
    part: Any = new
    for step in path:
        part = part[step]
    change(part)
    return list(openapi_changes(DOCUMENT, new))


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (("paths",), lambda paths: paths.update({"/new": {"get": {"responses": {}}}})),
        (("paths",), lambda paths: paths.pop("/old")),
        (
            (*LISTING, "parameters"),
            lambda all_: all_.append({"name": "q", "in": "query", "schema": {"type": "string"}}),
        ),
        ((*LISTING, "parameters"), lambda all_: all_[0]["schema"].update(maximum=200)),
        ((*LISTING, "responses"), lambda all_: all_.update({"429": {}})),
        ((*LISTING, "responses", "200", "content"), lambda all_: all_.update({"text/csv": {}})),
        ((*CREATION, "requestBody", "content"), lambda all_: all_.update({"text/plain": {}})),
        (("components", "schemas", "Task", "properties"), lambda all_: all_.update(new={"type": "string"})),
        (("components", "schemas", "NewTask", "properties"), lambda all_: all_.update(new={"type": "string"})),
        (("components", "schemas", "NewTask", "properties", "status", "enum"), lambda all_: all_.append("later")),
        (CREATION, lambda operation: operation.update(summary="Add a task", tags=["tasks"])),
    ],
)
def test_additions_are_compatible(path: tuple[str, ...], change: Callable[[Any], object]) -> None:
    assert changed(change, *path) == []


@pytest.mark.parametrize(
    ("path", "change", "reported"),
    [
        (("paths",), lambda all_: all_.pop("/tasks"), "GET /tasks: removed, without having been deprecated"),
        (("paths", "/tasks"), lambda all_: all_.pop("post"), "POST /tasks: removed, without having been deprecated"),
        (LISTING, lambda all_: all_.update(operationId="tasks"), "GET /tasks: operationId list_tasks has become tasks"),
        (LISTING, lambda all_: all_.update(security=[{"bearer": []}]), "GET /tasks: needs authorisation now"),
        ((*LISTING, "parameters"), lambda all_: all_.clear(), "GET /tasks: query parameter limit: removed"),
        (
            (*LISTING, "parameters"),
            lambda all_: all_[0].update(required=True),
            "GET /tasks: query parameter limit: newly required",
        ),
        (
            (*LISTING, "parameters"),
            lambda all_: all_.append({"name": "q", "in": "query", "required": True, "schema": {}}),
            "GET /tasks: query parameter q: newly required",
        ),
        (
            (*LISTING, "parameters"),
            lambda all_: all_[0]["schema"].update(maximum=50),
            "GET /tasks: query parameter limit: maximum 100 has become 50",
        ),
        (CREATION, lambda all_: all_["requestBody"].update(required=True), "POST /tasks: request body: newly required"),
        (
            (*CREATION, "requestBody", "content"),
            lambda all_: all_.pop("text/csv"),
            "POST /tasks: request body: text/csv: removed",
        ),
        (
            ("components", "schemas", "NewTask"),
            lambda schema: schema.update(required=["title", "status"]),
            "POST /tasks: request body.status: newly required",
        ),
        (
            ("components", "schemas", "NewTask", "properties"),
            lambda all_: all_.pop("status"),
            "POST /tasks: request body.status: removed",
        ),
        (
            ("components", "schemas", "NewTask", "properties", "status", "enum"),
            lambda all_: all_.remove("done"),
            "POST /tasks: request body.status: value 'done' removed",
        ),
        ((*LISTING, "responses"), lambda all_: all_.pop("422"), "GET /tasks: response 422: removed"),
        (
            (*LISTING, "responses", "200", "headers"),
            lambda all_: all_.clear(),
            "GET /tasks: response 200: header ETag: removed",
        ),
        (
            ("components", "responses", "Problem", "content"),
            lambda all_: all_.clear(),
            "GET /tasks: response 422: application/problem+json: removed",
        ),
        (
            ("components", "schemas", "Task", "properties"),
            lambda all_: all_.pop("title"),
            "GET /tasks: response 200[].title: removed",
        ),
        (
            ("components", "schemas", "Task", "properties", "status", "enum"),
            lambda all_: all_.remove("done"),
            "GET /tasks: response 200[].status: value 'done' removed",
        ),
        (
            ("components", "schemas", "Task", "properties", "status", "enum"),
            lambda all_: all_.append("later"),
            "GET /tasks: response 200[].status: value 'later' added",
        ),
        (
            ("components", "schemas", "Task"),
            lambda schema: schema.update(required=["title"]),
            "POST /tasks: response 201.status: no longer always there",
        ),
    ],
)
def test_what_breaks_a_client_is_reported(
    path: tuple[str, ...], change: Callable[[Any], object], reported: str
) -> None:
    assert reported in changed(change, *path)
