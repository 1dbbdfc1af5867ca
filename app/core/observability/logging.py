"""Structured logs: one JSON object a line, with the request id, and without secrets."""

import json
import logging
import logging.config
import re
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, BinaryIO, Literal

import orjson
import structlog
from structlog.types import EventDict, Processor

from app.core.observability.access_log import GatheredLines
from app.core.version import version

SECRET = re.compile(r"password|secret|token|authorization|cookie|api_key", re.IGNORECASE)
REDACTED = "[redacted]"
REQUESTS = "access"
"""The logger of requests: a line each."""
URL_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):([^@\s]+)(@?)")
"""A URL's user and password, if an @ follows. What has none is matched too: so no character is looked at twice."""


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Hide the values of keys that name secrets, and passwords inside URLs, however deep they lie."""
    for key, value in event.items():
        event[key] = _shown(key, value)
    return event


def _shown(key: object, value: Any) -> Any:
    if isinstance(key, str) and _secret(key):
        return REDACTED
    if isinstance(value, str):
        return URL_PASSWORD.sub(_without_password, value) if "://" in value else value
    if isinstance(value, dict):
        return {name: _shown(name, part) for name, part in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(_shown(None, part) for part in value)
    return value


def _without_password(found: re.Match[str]) -> str:
    user, _, end = found.groups()
    return f"{user}:{REDACTED}@" if end else found[0]


@lru_cache(maxsize=1024)
def _secret(key: str) -> bool:
    return SECRET.search(key) is not None


def processors(form: Literal["json", "console"], also: Sequence[Processor] = ()) -> list[Processor]:
    """Return what makes an event of a line, without secrets.

    Args:
        also: sees each event before its traceback becomes text.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *also,
    ]
    if form == "json":
        shared.append(structlog.processors.format_exc_info)
    return [*shared, redact]


def renderers(form: Literal["json", "console"]) -> list[Processor]:
    """Return what makes the bytes of a line of an event."""
    if form == "json":
        return [_of_this_version, structlog.processors.JSONRenderer(serializer=_json)]
    # Not with the values of local variables, which Rich would show: passwords are among them, and it takes seconds.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    return [lambda logger, method, event: console(logger, method, event).encode()]


def _of_this_version(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Say which version writes: during a rollout, lines of two are side by side."""
    event["version"] = version()
    return event


def _json(event: EventDict, default: Callable[[Any], Any]) -> bytes:
    try:
        return orjson.dumps(event, default=default)
    except TypeError:  # half a surrogate pair, or a number beyond 64 bits
        return json.dumps(event, default=default).encode()


def configuration(form: Literal["json", "console"], level: str, also: Sequence[Processor] = ()) -> dict[str, Any]:
    """Return the logging configuration for `logging.config.dictConfig`, and for gunicorn's `logconfig_dict`."""
    root = {"handlers": ["stderr"], "level": level.upper()}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *renderers(form),
                    lambda _logger, _method, line: line.decode(),
                ],
                "foreign_pre_chain": processors(form, also),
            }
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "structured", "stream": "ext://sys.stderr"}
        },
        "root": root,
        "loggers": {"gunicorn.error": {**root, "propagate": False}, "gunicorn.access": {**root, "propagate": False}},
    }


def configure(form: Literal["json", "console"], level: str, also: Sequence[Processor] = ()) -> None:
    """Send everything to stderr in one form: our own lines directly, those of libraries through `logging`."""
    logging.config.dictConfig(configuration(form, level, also))
    structlog.configure(
        processors=[*processors(form, also), *renderers(form)],
        logger_factory=_factory(form, sys.stderr.buffer),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def _factory(form: Literal["json", "console"], file: BinaryIO) -> Callable[..., Any]:
    """Return what makes loggers: each writes at once, but that of requests gathers lines where a machine reads them."""
    of_requests = GatheredLines(file, REQUESTS)
    at_once = structlog.BytesLoggerFactory(file)
    return lambda *names: of_requests if form == "json" and names == (REQUESTS,) else at_once(*names)
