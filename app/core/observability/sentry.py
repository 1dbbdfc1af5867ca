"""Error reports to Sentry. Imported only where a DSN is set."""

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.dedupe import DedupeIntegration
from structlog.types import EventDict

from app.core.observability.logging import redact
from app.core.observability.settings import TelemetrySettings
from app.core.version import version

REPORTED_LEVELS = frozenset({"error", "critical"})

TAGS = ("request_id", "trace_id", "logger", "kind", "consumer")

NOT_IN_CONTEXT = frozenset({"event", "exc_info", "level", "timestamp", "remote", "span_id", "user_id", *TAGS})
"""Keys left out of the log context: those sent elsewhere in the event, and user id and address, which are not sent."""


def set_up(settings: TelemetrySettings, role: str, environment: str) -> None:
    """Initialise the Sentry client. Its sending thread is restarted after a fork.

    Args:
        settings: with a DSN.
        role: of this process, as in traces: api, worker, tasks-api.
        environment: name of the deployment.
    """
    dsn = settings.sentry_dsn
    sentry_sdk.init(
        dsn=dsn.get_secret_value() if dsn else None,
        release=f"task-manager@{version()}",
        environment=environment,
        # Only the log event and its stack trace: no bodies, headers, users or variables.
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=_without_secrets,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[DedupeIntegration()],
        auto_session_tracking=False,
        enable_backpressure_handling=False,
        propagate_traces=False,
    )
    sentry_sdk.get_global_scope().set_tag("role", role)


def flush(seconds: float) -> None:
    """Send pending events, for at most `seconds`."""
    sentry_sdk.flush(seconds)


def send_to_sentry(_logger: object, _method: str, event: EventDict) -> EventDict:
    """structlog processor: report errors to Sentry. To be run before the traceback is formatted."""
    if event.get("level") not in REPORTED_LEVELS:
        return event
    redacted = redact(None, "", {name: value for name, value in event.items() if not name.startswith("_")})
    with sentry_sdk.new_scope() as scope:
        scope.set_level(event["level"])
        for name in TAGS:
            if name in redacted:
                scope.set_tag(name, redacted[name])
        if "span_id" in redacted:
            scope.set_context("trace", {"trace_id": redacted["trace_id"], "span_id": redacted["span_id"]})
        scope.set_context("log", {name: value for name, value in redacted.items() if name not in NOT_IN_CONTEXT})
        scope.set_tag("event", redacted["event"])
        if error := event.get("exc_info"):
            sentry_sdk.capture_exception(None if error is True else error)
        else:
            sentry_sdk.capture_message(str(redacted["event"]))
    return event


def _without_secrets(event: Any, _hint: Any) -> Any:
    """Truncate error messages to their first line: below it database errors quote values of the request."""
    for error in event.get("exception", {}).get("values", ()):
        message = str(error.get("value") or "").partition("\n")[0]
        error["value"] = redact(None, "", {"message": message})["message"]
    return event
