"""OpenAPI document, and a page that renders it without scripts."""

from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, send_from_directory
from flask_openapi.openapi import OpenAPI
from werkzeug.routing import BaseConverter

from app.core.http.cache_control import kept, public
from app.core.http.idempotency import PATTERN
from app.core.http.problems import MEDIA_TYPE, MOST_ERRORS, validation_problem
from app.core.http.strict_json import StrictJsonProvider
from app.core.version import version

PREFIX = "/api/v1"
DOCUMENT_FILE = f"openapi.{PREFIX.rpartition('/')[2]}.json"
"""Name of a service's committed document."""
BODY_METHODS = {"post", "put", "patch"}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "An error (RFC 9457)",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "maxItems": MOST_ERRORS,
            "items": {
                "type": "object",
                "required": ["field", "message", "code"],
                "properties": {
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
    },
}

UNREAD_PROBLEM: dict[str, Any] = PROBLEM | {
    "title": "UnreadProblem",
    "description": "An error (RFC 9457) of a request whose header was not read to its end",
    "required": ["type", "title", "status", "detail"],
}

ERRORS = {
    "400": "The body is not JSON in UTF-8, the URL is not UTF-8, or the cursor does not belong to this list",
    "401": "The access token is missing, invalid or expired, or its session has ended",
    "403": "The caller lacks the permission",
    "404": "The resource does not exist, or belongs to another user",
    "409": "The resource exists already, or its state does not allow the operation",
    "412": "The resource has been changed meanwhile",
    "413": "The body is too large",
    "415": "The body has an unsupported media type, or is compressed",
    "422": "The request does not fit its schema",
    "429": "Too many requests; retry later",
    "503": "A dependency is unavailable or busy; retry later",
}


HEADERS = {
    "Idempotency-Key": "A key made by the client: a retry with the same key within a day has no second effect",
    "If-Match": "ETags, one of which has to be the task's current version",
    "If-None-Match": "ETags that the client has cached: if one is current, the response is 304 without a body",
}
TAKES = {
    "add_attachment": ("Idempotency-Key",),
    "change_tasks": ("Idempotency-Key",),
    "create_task": ("Idempotency-Key",),
    "export_my_data": ("Idempotency-Key",),
    "export_tasks": ("Idempotency-Key",),
    "import_tasks": ("Idempotency-Key",),
    "resume_job": ("Idempotency-Key",),
    "update_task": ("Idempotency-Key", "If-Match"),
    "delete_task": ("If-Match",),
    "get_task": ("If-None-Match",),
    "list_tasks": ("If-None-Match",),
    "list_tags": ("If-None-Match",),
    "get_statistics": ("If-None-Match",),
    "me": ("If-None-Match",),
}
"""Request headers of each operation, by its operationId."""


class OneConverter(BaseConverter):
    """URL converter of identifiers, which does not match the fixed segments beside them (`/tasks/bulk`)."""

    regex = r"(?!(?:bulk|imports|exports)$)[^/]+"


def new_application(import_name: str) -> OpenAPI:
    """Return a Flask application that builds its OpenAPI document as blueprints are registered."""
    app = OpenAPI(
        import_name,
        info={"title": "PrimeTrade Task Manager", "version": version()},
        security_schemes={"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        validation_error_callback=validation_problem,
        doc_ui=False,
        static_folder=None,
        template_folder="core/http/templates",
    )
    app.openapi_version = "3.1.0"
    app.json = StrictJsonProvider(app)
    app.url_map.converters["default"] = OneConverter
    return app


def document(app: OpenAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the error responses of each operation added."""
    spec: dict[str, Any] = app.api_doc
    components = spec["components"]
    components["schemas"].pop("ValidationErrorModel", None)
    components["schemas"] |= {"Problem": PROBLEM, "UnreadProblem": UNREAD_PROBLEM}
    components["responses"] = {
        f"Problem{status}": {
            "description": description,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, description in ERRORS.items()
    }
    # Sent by gunicorn, before the application can make a problem of it, or by a gateway in front.
    components["responses"]["TooLong"] = {"description": "The URL is too long", "content": {"text/html": {}}}
    components["responses"]["HeaderTooLarge"] = {
        "description": "The header of the request, its URL included, is too large",
        "content": {"text/html": {}, MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/UnreadProblem"}}},
    }
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            for name in TAKES.get(operation["operationId"], ()):
                _take(operation, name)
            operation["responses"]["414"] = {"$ref": "#/components/responses/TooLong"}
            operation["responses"]["431"] = {"$ref": "#/components/responses/HeaderTooLarge"}
            for status in _errors(path, method, operation):
                operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}
            operation["responses"] = dict(sorted(operation["responses"].items()))
            for parameter in operation.get("parameters", []):
                parameter["schema"] = _without_null(parameter["schema"])
    return spec


def _take(operation: dict[str, Any], name: str) -> None:
    schema = {"type": "string", **({"pattern": f"^{PATTERN.pattern}$"} if name == "Idempotency-Key" else {})}
    parameter = {"name": name, "in": "header", "description": HEADERS[name], "schema": schema}
    parameters = operation.setdefault("parameters", [])
    if parameter not in parameters:
        parameters.append(parameter)
    if name == "If-None-Match":
        operation["responses"]["304"] = {"description": "Not modified: the client's cached version is current"}
    if name == "If-Match":
        operation["responses"]["412"] = {"$ref": "#/components/responses/Problem412"}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Remove null from the schema of an optional parameter: a URL has no null."""
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(options) > 1:
        return {**rest, "anyOf": options}
    return {**rest, **options[0]} if options else schema


def _errors(path: str, method: str, operation: dict[str, Any]) -> set[str]:
    errors = {"503", "429", "422", "400"}
    if method in BODY_METHODS or "requestBody" in operation:
        errors |= {"413", "415"}
    if operation.get("security") or path.endswith(("/login", "/refresh")):
        errors.add("401")
    if "{" in path:
        errors.add("404")
    if path.endswith("/register") or operation["operationId"] in {
        "update_user",
        "delete_user",
        "delete_me",
        "create_task",
        "change_tasks",
        "resume_job",
    }:
        errors.add("409")
    if path.startswith(f"{PREFIX}/admin/"):
        errors.add("403")
    return errors


def blueprint(spec: dict[str, Any]) -> Blueprint:
    """Serve the OpenAPI document, and the page that renders it."""
    docs = Blueprint("docs", __name__, url_prefix=PREFIX)

    @docs.get("/openapi.json")
    def openapi_json() -> Response:
        return kept(jsonify(spec), public())

    @docs.get("/docs")
    def page() -> Response:
        return kept(make_response(render_template("docs.html", spec=spec)), public())

    @docs.get("/docs.css")
    def style() -> Response:
        return kept(send_from_directory("core/http/assets", "docs.css"), public())

    return docs
