"""Error responses as `application/problem+json` (RFC 9457)."""

import json
import re
from collections.abc import Iterable
from http import HTTPStatus

import structlog
from flask import Flask, Response, g, request
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MalformedError,
    NotFoundError,
    PreconditionError,
    ServiceError,
    UnauthenticatedError,
    UnavailableError,
)
from app.core.http.middleware import request_context

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[ServiceError], HTTPStatus] = {
    ConflictError: HTTPStatus.CONFLICT,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    MalformedError: HTTPStatus.BAD_REQUEST,
    NotFoundError: HTTPStatus.NOT_FOUND,
    PreconditionError: HTTPStatus.PRECONDITION_FAILED,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""HTTP status by error class; a subclass has the status of its parent."""

RETRY_AFTER = 2
"""Retry-After of a 503, seconds."""

MOST_ERRORS = 20
"""Field errors listed in a response; the detail has the number of all."""

LONGEST_ECHO = 200
"""Characters of a field name or message: both may echo the client's input."""

HIDDEN_LENGTH = re.compile(r"items? after validation")

log = structlog.get_logger(__name__)


class FieldError(dict[str, str]):
    """One invalid field: its name, a message, and a machine-readable code."""

    def __init__(self, field: str, message: str, code: str) -> None:
        super().__init__(field=shortened(field), message=shortened(message), code=code)


def shortened(text: str) -> str:
    """Truncate a text to LONGEST_ECHO characters."""
    return text if len(text) <= LONGEST_ECHO else f"{text[: LONGEST_ECHO - 1]}…"


def problem(
    status: int,
    detail: str,
    *,
    errors: Iterable[FieldError] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """Return an error response.

    Args:
        status: the HTTP status.
        detail: one sentence for the client's developer.
        errors: the invalid fields, if any.
        headers: further headers.
    """
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": shortened(request.path),
        "request_id": request_context(request.environ).request_id,
    }
    if listed := list(errors):
        body["errors"] = listed
    response = Response(json.dumps(body), status=status, mimetype=MEDIA_TYPE, headers=headers)
    if status == HTTPStatus.UNAUTHORIZED:
        # RFC 6750, section 3: the error code is given only to a request that carries credentials.
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if _shows_token() else "Bearer"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _shows_token() -> bool:
    return "Authorization" in request.headers


def validation_problem(error: ValidationError) -> Response:
    """Return the 422 for a request that fails schema validation. Names fields and reasons, never values."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    detail = "The request does not fit its schema."
    if len(details) > MOST_ERRORS:
        detail += f" The first {MOST_ERRORS} of {len(details)} errors are listed."
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=map(_field_error, details[:MOST_ERRORS]))


def _field_error(item: ErrorDetails) -> FieldError:
    field = ".".join(str(part) for part in item["loc"]) or "body"
    message = item["msg"].removeprefix("Value error, ")
    # pydantic words the length error of a SecretStr (a password) as that of a list.
    return FieldError(field, HIDDEN_LENGTH.sub("characters", message), item["type"])


def register(app: Flask) -> None:
    """Register error handlers that turn every exception into a problem."""

    @app.errorhandler(ServiceError)
    def service_error(error: ServiceError) -> Response:
        errors = [FieldError(error.field, str(error), "invalid")] if isinstance(error, InvalidError) else []
        if isinstance(error, UnavailableError):
            log.warning("unavailable", reason=str(error), cause=repr(error.__cause__))
        if isinstance(error, ForbiddenError) or (isinstance(error, UnauthenticatedError) and _shows_token()):
            caller = g.get("current_caller")
            log.warning(
                "access refused",
                reason=str(error),
                method=request.method,
                path=request.path,
                remote=request.remote_addr,
                user_id=str(caller.user_id) if caller else None,
            )
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        return problem(status, str(error), errors=errors)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response | HTTPException:
        if isinstance(error, RequestRedirect) or error.response is not None:
            return error  # a redirect, or an exception with its own response
        headers = {name: value for name, value in error.get_headers() if name not in {"Content-Type", "Content-Length"}}
        return problem(error.code or 500, error.description or "", headers=headers)

    @app.errorhandler(Exception)
    def unhandled_error(_error: Exception) -> Response:
        log.exception("unhandled error", method=request.method, route=request_context(request.environ).route)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here. It has been logged.")
