"""Tracing of SQL statements: their text, never their parameters.

opentelemetry-instrumentation-sqlalchemy is not used: it does not support SQLAlchemy 2.1, makes a span of each checkout
of a connection, and records the messages of database errors, which quote user data.
"""

from typing import Any

from opentelemetry.trace import Span, SpanKind, Tracer, get_current_span
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext, ExecutionContext

from app.core.database.engine import Database
from app.core.database.errors import sqlstate
from app.core.observability.tracing import note_failure

LONGEST = 2000
"""Characters of a statement that are recorded: a multi-row INSERT repeats itself."""

SPAN = "_span"
"""Attribute of an execution context that holds its span."""


def trace(database: Database, tracer: Tracer) -> None:
    """Record a span for each statement within a recorded trace; others, such as a polling loop's, have none."""
    for engine in (database.reader, *(replica.engine for replica in database.replicas.all)):
        _trace(engine, tracer)


def _trace(engine: Engine, tracer: Tracer) -> None:
    url = engine.url
    server: dict[str, str | int] = {"db.system.name": engine.dialect.name, "db.namespace": url.database or ""}
    if url.host:
        server |= {"server.address": url.host, "server.port": url.port or 5432}

    @event.listens_for(engine, "before_cursor_execute")
    def begin(
        _connection: Connection,
        _cursor: Any,
        statement: str,
        _parameters: Any,
        context: ExecutionContext | None,
        _many: bool,
    ) -> None:
        if context is None or not get_current_span().is_recording():
            return
        operation = statement.split(maxsplit=1)[0].upper()
        attributes = {**server, "db.operation.name": operation, "db.query.text": statement[:LONGEST]}
        span = tracer.start_span(f"{operation} {server['db.namespace']}", kind=SpanKind.CLIENT, attributes=attributes)
        setattr(context, SPAN, span)

    @event.listens_for(engine, "after_cursor_execute")
    def end(
        _connection: Connection,
        _cursor: Any,
        _statement: str,
        _parameters: Any,
        context: ExecutionContext | None,
        _many: bool,
    ) -> None:
        if span := _pop_span(context):
            span.end()

    @event.listens_for(engine, "handle_error")
    def fail(failure: ExceptionContext) -> None:
        if span := _pop_span(failure.execution_context):
            note_failure(span, failure.original_exception)
            if code := sqlstate(failure.original_exception):
                span.set_attribute("db.response.status_code", code)
            span.end()


def _pop_span(context: ExecutionContext | None) -> Span | None:
    span: Span | None = vars(context).pop(SPAN, None) if context else None
    return span
