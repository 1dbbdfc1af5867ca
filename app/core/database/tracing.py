"""Tracing of SQL statements: their text, never their parameters.

The library's own (opentelemetry-instrumentation-sqlalchemy) does not know SQLAlchemy 2.1, notes the taking of each
connection, and what a database says of an error, in which it quotes what somebody has sent.
"""

from typing import Any

from opentelemetry.trace import Span, SpanKind, Tracer, get_current_span
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext, ExecutionContext

from app.core.database.engine import Database
from app.core.database.errors import sqlstate
from app.core.observability.tracing import note_failure

LONGEST = 2000
"""Characters of a statement that are noted: one that inserts many rows repeats itself."""

NOTED = "_span"
"""Attribute of a statement's execution."""


def trace(database: Database, tracer: Tracer) -> None:
    """Note what is executed for whoever has a trace; what nobody waits for, such as a look at a queue, not."""
    for engine in (database.reader, *(replica.engine for replica in database.replicas.all)):
        _trace(engine, tracer)


def _trace(engine: Engine, tracer: Tracer) -> None:
    url = engine.url
    told: dict[str, str | int] = {"db.system.name": engine.dialect.name, "db.namespace": url.database or ""}
    if url.host:
        told |= {"server.address": url.host, "server.port": url.port or 5432}

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
        facts = {**told, "db.operation.name": operation, "db.query.text": statement[:LONGEST]}
        span = tracer.start_span(f"{operation} {told['db.namespace']}", kind=SpanKind.CLIENT, attributes=facts)
        setattr(context, NOTED, span)

    @event.listens_for(engine, "after_cursor_execute")
    def end(
        _connection: Connection,
        _cursor: Any,
        _statement: str,
        _parameters: Any,
        context: ExecutionContext | None,
        _many: bool,
    ) -> None:
        if span := _taken(context):
            span.end()

    @event.listens_for(engine, "handle_error")
    def fail(failure: ExceptionContext) -> None:
        if span := _taken(failure.execution_context):
            note_failure(span, failure.original_exception)
            if code := sqlstate(failure.original_exception):
                span.set_attribute("db.response.status_code", code)
            span.end()


def _taken(context: ExecutionContext | None) -> Span | None:
    span: Span | None = vars(context).pop(NOTED, None) if context else None
    return span
