"""Structured logs: one JSON object a line, with the request's identifier, and without secrets."""

import logging
import logging.config
import re
import sys
from typing import Any, Literal

import structlog
from structlog.types import EventDict, Processor

SECRET = re.compile(r"password|secret|token|authorization|cookie|api_key", re.IGNORECASE)
REDACTED = "[redacted]"
URL_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):[^@\s]+@")


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Hide the values of keys that name secrets, and passwords inside URLs."""
    for key, value in event.items():
        if SECRET.search(key):
            event[key] = REDACTED
        elif isinstance(value, str) and "://" in value:
            event[key] = URL_PASSWORD.sub(rf"\1:{REDACTED}@", value)
    return event


def processors(form: Literal["json", "console"]) -> list[Processor]:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if form == "json":
        shared.append(structlog.processors.format_exc_info)
    return [*shared, redact]


def configuration(form: Literal["json", "console"], level: str) -> dict[str, Any]:
    """Return the logging configuration for `logging.config.dictConfig`, and for gunicorn's `logconfig_dict`."""
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    root = {"handlers": ["stderr"], "level": level.upper()}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": processors(form),
            }
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "structured", "stream": "ext://sys.stderr"}
        },
        "root": root,
        "loggers": {"gunicorn.error": {**root, "propagate": False}, "gunicorn.access": {**root, "propagate": False}},
    }


def configure(form: Literal["json", "console"], level: str) -> None:
    """Send everything, the libraries' logs too, through one pipe to stderr."""
    logging.config.dictConfig(configuration(form, level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *processors(form),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
