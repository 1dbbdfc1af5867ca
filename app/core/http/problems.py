"""Errors as `application/problem+json` (RFC 9457), whatever raised them."""

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
"""By kind. What is more special has the status of its parent."""

RETRY_AFTER = 2
"""Seconds after which a client may try again what was unavailable."""

MOST_ERRORS = 20
"""Wrong fields that an answer names; of the rest it tells the number."""

LONGEST_ECHO = 200
"""Characters of a field's name or of a message: both may hold what the client has sent."""

HIDDEN_LENGTH = re.compile(r"items? after validation")

log = structlog.get_logger(__name__)


class FieldError(dict[str, str]):
    """One wrong field: its name, what is wrong, and a code that a program can tell it by."""

    def __init__(self, field: str, message: str, code: str) -> None:
        super().__init__(field=shortened(field), message=shortened(message), code=code)


def shortened(text: str) -> str:
    """Return a text of LONGEST_ECHO characters at most."""
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
        detail: one sentence for the reader.
        errors: the wrong fields, if it is about fields.
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
        # RFC 6750, section 3: the reason is named only to somebody who has shown a token.
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if _shows_token() else "Bearer"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _shows_token() -> bool:
    return "Authorization" in request.headers


def validation_problem(error: ValidationError) -> Response:
    """Return the answer to a request that breaks its schema. Says which fields and why, never their values."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    detail = "The request does not fit its schema."
    if len(details) > MOST_ERRORS:
        detail += f" The first {MOST_ERRORS} of {len(details)} errors are listed."
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=map(_field_error, details[:MOST_ERRORS]))


def _field_error(item: ErrorDetails) -> FieldError:
    field = ".".join(str(part) for part in item["loc"]) or "body"
    message = item["msg"].removeprefix("Value error, ")
    # Of a text that is kept out of sight (a password) pydantic speaks as of a list.
    return FieldError(field, HIDDEN_LENGTH.sub("characters", message), item["type"])


def register(app: Flask) -> None:
    """Make every error of the application a problem."""

    @app.errorhandler(ServiceError)
    def by_rule(error: ServiceError) -> Response:
        errors = [FieldError(error.field, str(error), "invalid")] if isinstance(error, InvalidError) else []
        if isinstance(error, UnavailableError):
            log.warning("unavailable", reason=str(error), cause=repr(error.__cause__))
        if isinstance(error, ForbiddenError) or (isinstance(error, UnauthenticatedError) and _shows_token()):
            who = g.get("current_caller")
            log.warning(
                "access refused",
                reason=str(error),
                method=request.method,
                path=request.path,
                remote=request.remote_addr,
                user_id=str(who.user_id) if who else None,
            )
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        return problem(status, str(error), errors=errors)

    @app.errorhandler(HTTPException)
    def by_http(error: HTTPException) -> Response | HTTPException:
        if isinstance(error, RequestRedirect) or error.response is not None:
            return error  # it brings its own answer
        kept = {name: value for name, value in error.get_headers() if name not in {"Content-Type", "Content-Length"}}
        return problem(error.code or 500, error.description or "", headers=kept)

    @app.errorhandler(Exception)
    def by_fault(_error: Exception) -> Response:
        log.exception("unhandled error", method=request.method, route=request_context(request.environ).route)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here. It has been logged.")
