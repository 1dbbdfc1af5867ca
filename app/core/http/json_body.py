"""Validation of JSON bodies and URLs before any schema."""

from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from flask import Response, request
from werkzeug.exceptions import BadRequest

from app.core.http.problems import FieldError, problem

LIMIT = 1 << 20
"""Maximum size of a body, bytes: 1 MiB. A task's description has at most 10,000 characters."""


def require_json() -> Response | None:
    """Reject a body that is not a JSON object: 415 by media type, 400 if it can't be parsed, 422 if not an object."""
    if request.method not in {"POST", "PUT", "PATCH", "DELETE"} or not has_body():
        return None
    if request.method == "DELETE" and not request.is_json:
        return None  # most DELETE operations take no body, and ignore one
    if not request.is_json:
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.")
    try:
        value = request.get_json()
    except BadRequest:
        return problem(HTTPStatus.BAD_REQUEST, "The body is not valid JSON in UTF-8.")
    if not isinstance(value, dict):
        wrong = FieldError("body", "must be a JSON object", "dict_type")
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request does not fit its schema.", errors=[wrong])
    return None


def has_body() -> bool:
    """Return whether the request has a body."""
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def require_utf8_url() -> Response | None:
    """Reject a path or query that is not UTF-8 after percent-decoding (RFC 3986, section 2.5)."""
    try:
        query = request.query_string
        (unquote_to_bytes(query) if b"%" in query else query).decode()
        # Checked in the WSGI environment: werkzeug puts replacement characters into a path that is not UTF-8.
        request.environ["PATH_INFO"].encode("latin-1").decode()
    except UnicodeDecodeError:
        return problem(HTTPStatus.BAD_REQUEST, "The URL is not UTF-8.")
    return None
