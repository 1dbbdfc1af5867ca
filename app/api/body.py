"""JSON bodies, read strictly before any schema sees them."""

import json
from http import HTTPStatus

from flask import Response, request
from werkzeug.exceptions import BadRequest

from app.api.problems import FieldError, problem

LIMIT = 1 << 20
"""Bytes of a body: 1 MiB. A task has at most 10,000 characters of description."""


def require_json() -> Response | None:
    """Refuse a body that is not a JSON object: 415 by its type, 400 if it can't be parsed, 422 if it is no object."""
    if request.method not in {"POST", "PUT", "PATCH"} or not has_body():
        return None
    if not request.is_json:
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.")
    try:
        value = request.get_json()
        if b"\\u" in request.get_data():
            # Half a surrogate pair can be escaped in JSON, but is no character: no database takes it.
            json.dumps(value, ensure_ascii=False).encode()
    except (BadRequest, RecursionError, UnicodeEncodeError):
        return problem(HTTPStatus.BAD_REQUEST, "The body is not valid JSON.")
    if not isinstance(value, dict):
        wrong = FieldError("body", "must be a JSON object", "dict_type")
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request does not fit its schema.", errors=[wrong])
    return None


def has_body() -> bool:
    """Say whether the request brings a body."""
    return bool(request.content_length) or "Transfer-Encoding" in request.headers
