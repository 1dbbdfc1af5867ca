"""Error reports to Sentry. Imported only where a DSN is set."""

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.dedupe import DedupeIntegration
from structlog.types import EventDict

from app.core.observability.logging import redact
from app.core.observability.settings import TelemetrySettings
from app.core.version import version

TOLD = frozenset({"error", "critical"})

TAGS = ("request_id", "trace_id", "logger", "kind", "consumer")

KEPT_BACK = frozenset({"event", "exc_info", "level", "timestamp", "remote", "span_id", "user_id", *TAGS})
"""What of a line has a place of its own, and who it was: neither accounts nor addresses leave the system."""


def set_up(settings: TelemetrySettings, role: str, environment: str) -> None:
    """Begin to take errors. What sends them is a thread, which a fork has begin anew.

    Args:
        settings: with a DSN.
        role: of this process: api, worker or beat.
        environment: the deployment that it belongs to.
    """
    dsn = settings.sentry_dsn
    sentry_sdk.init(
        dsn=dsn.get_secret_value() if dsn else None,
        release=f"task-manager@{version()}",
        environment=environment,
        # Only what a line of the log says, and where it was written: neither bodies, headers, users nor variables.
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
    """Send what is left, but not for longer than that."""
    sentry_sdk.flush(seconds)


def send_to_sentry(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Tell of a line of the log, if it is an error. To be called before its traceback becomes text."""
    if event.get("level") not in TOLD:
        return event
    shown = redact(None, "", {name: value for name, value in event.items() if not name.startswith("_")})
    with sentry_sdk.new_scope() as scope:
        scope.set_level(event["level"])
        for name in TAGS:
            if name in shown:
                scope.set_tag(name, shown[name])
        if "span_id" in shown:
            scope.set_context("trace", {"trace_id": shown["trace_id"], "span_id": shown["span_id"]})
        scope.set_context("log", {name: value for name, value in shown.items() if name not in KEPT_BACK})
        scope.set_tag("event", shown["event"])
        if error := event.get("exc_info"):
            sentry_sdk.capture_exception(None if error is True else error)
        else:
            sentry_sdk.capture_message(str(shown["event"]))
    return event


def _without_secrets(event: Any, _hint: Any) -> Any:
    """Leave of what an error says the first line: below it databases quote what somebody has sent."""
    for error in event.get("exception", {}).get("values", ()):
        said = str(error.get("value") or "").partition("\n")[0]
        error["value"] = redact(None, "", {"said": said})["said"]
    return event
