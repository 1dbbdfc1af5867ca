"""Structured logs: one JSON object a line, with the request id, secrets redacted."""

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
"""Name of the access log's logger."""
URL_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):([^@\s]+)(@?)")
"""User and password of a URL. Also matches without a following @, so that matching is linear."""


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Redact values under secret names, and passwords in URLs, at any depth."""
    for key, value in event.items():
        event[key] = _redacted(key, value)
    return event


def _redacted(key: object, value: Any) -> Any:
    if isinstance(key, str) and _secret(key):
        return REDACTED
    if isinstance(value, str):
        return URL_PASSWORD.sub(_without_password, value) if "://" in value else value
    if isinstance(value, dict):
        return {name: _redacted(name, part) for name, part in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(_redacted(None, part) for part in value)
    return value


def _without_password(found: re.Match[str]) -> str:
    user, _, end = found.groups()
    return f"{user}:{REDACTED}@" if end else found[0]


@lru_cache(maxsize=1024)
def _secret(key: str) -> bool:
    return SECRET.search(key) is not None


def processors(form: Literal["json", "console"], also: Sequence[Processor] = ()) -> list[Processor]:
    """Return the structlog processors that complete and redact an event.

    Args:
        also: further processors, run before the traceback is formatted.
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
    """Return the structlog processors that render an event as the bytes of a line."""
    if form == "json":
        return [_add_version, structlog.processors.JSONRenderer(serializer=_json)]
    # Not Rich's tracebacks: they show local variables, passwords among them, and take seconds.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    return [lambda logger, method, event: console(logger, method, event).encode()]


def _add_version(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Add the application's version: during a rollout two versions log side by side."""
    event["version"] = version()
    return event


def _json(event: EventDict, default: Callable[[Any], Any]) -> bytes:
    try:
        return orjson.dumps(event, default=default)
    except TypeError:  # a lone surrogate, or a number beyond 64 bits
        return json.dumps(event, default=default).encode()


def configuration(form: Literal["json", "console"], level: str, also: Sequence[Processor] = ()) -> dict[str, Any]:
    """Return the configuration for `logging.config.dictConfig` and gunicorn's `logconfig_dict`."""
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
    """Send all logs to stderr in one format: the application's through structlog, libraries' through `logging`."""
    logging.config.dictConfig(configuration(form, level, also))
    structlog.configure(
        processors=[*processors(form, also), *renderers(form)],
        logger_factory=_factory(form, sys.stderr.buffer),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def _factory(form: Literal["json", "console"], file: BinaryIO) -> Callable[..., Any]:
    """Return a logger factory: the access log is buffered if it is JSON, every other logger writes immediately."""
    access_log = GatheredLines(file, REQUESTS)
    unbuffered = structlog.BytesLoggerFactory(file)
    return lambda *names: access_log if form == "json" and names == (REQUESTS,) else unbuffered(*names)
