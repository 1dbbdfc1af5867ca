"""Traces of services in processes of their own: from a request through RabbitMQ to another service, and to a worker."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from app.core.clock import new_id, utc_now
from app.core.events.model import Event
from app.core.events.rabbitmq import Broker, RabbitTransport
from app.core.events.topology import ServiceQueue
from app.core.security.keys import signature_key
from tests.support.api import V1
from tests.support.collector import Noted, Taken, collector
from tests.support.issuer import Issuer, issuer
from tests.support.ports import wait_for
from tests.support.rabbitmq import RabbitMq
from tests.support.server import SECRET, environment, process, server
from tests.support.settings import make_settings

TRACE, GATEWAY = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{GATEWAY}-01"

SERVER, PRODUCER, CONSUMER = 2, 4, 5
"""Span kinds in OTLP."""


def variables(taken: Taken, rabbitmq: RabbitMq) -> dict[str, str]:
    return {
        "APP_EVENTS_URL": rabbitmq.url,
        "APP_JOB_POLL": "0.1",
        "APP_TRACES_ENDPOINT": taken.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }


def one(taken: Taken, name: str) -> Noted:
    """Return the span of a name in the trace of the request, once it has been exported."""

    def found() -> list[Noted]:
        return [span for span in taken.spans() if span.name == name and span.trace_id == TRACE]

    wait_for(lambda: bool(found()), f"there is a span {name}")
    [span] = found()
    return span


def test_a_trace_leads_from_a_request_through_rabbitmq_to_the_consumer_and_to_the_job(
    rabbitmq: RabbitMq, postgres_url: str, sqlite_url: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        taken = stack.enter_context(collector())
        issued = stack.enter_context(issuer(Issuer(signature_key(SECRET))))
        shared = {**variables(taken, rabbitmq), "APP_JWKS_URL": issued.url}
        jobs = {"APP_JOBS": "celery", "APP_BROKER_URL": rabbitmq.url}
        stack.enter_context(server(tmp_path, sqlite_url, "analytics", **shared))
        tasks = stack.enter_context(server(tmp_path, postgres_url, "tasks", **shared, **jobs))
        for command in ("beat", "worker"):
            own = environment(tmp_path, postgres_url, 8000, **shared, **jobs)
            stack.enter_context(process(tmp_path, own, command, "--service", "tasks"))
        headers = {"Authorization": f"Bearer {issued.token()}", "traceparent": TRACEPARENT}
        with httpx.Client(base_url=f"{tasks.url}{V1}", headers=headers) as client:
            client.post("/tasks", json={"title": "Traced"}).raise_for_status()
            client.post("/tasks/exports", json={}).raise_for_status()

        request = one(taken, f"POST {V1}/tasks")
        sent = one(taken, "send task-manager.events:task.created")
        handled = one(taken, "analytics task.created")
        export, work = one(taken, f"POST {V1}/tasks/exports"), one(taken, "job export")

    assert (request.service, request.kind, request.parent_id) == ("task-manager-tasks-api", SERVER, GATEWAY)
    assert (sent.service, sent.kind, sent.parent_id) == ("task-manager-tasks-beat", PRODUCER, request.span_id)
    assert (handled.service, handled.kind, handled.parent_id) == ("task-manager-analytics-api", CONSUMER, sent.span_id)
    assert (work.service, work.kind, work.parent_id) == ("task-manager-tasks-worker", CONSUMER, export.span_id)
    message = {
        "messaging.system": "rabbitmq",
        "messaging.rabbitmq.destination.routing_key": "task.created",
        "messaging.message.id": sent.facts["messaging.message.id"],
    }
    assert sent.facts == {
        **message,
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "task-manager.events:task.created",
    }
    assert handled.facts == {
        **message,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "task-manager.events:task.created:task-manager.analytics",
    }


@pytest.mark.parametrize("traced", [True, False], ids=["traces on", "traces off"])
def test_what_a_consumer_logs_of_a_message_has_the_trace_of_its_sender(
    rabbitmq: RabbitMq, sqlite_url: str, tmp_path: Path, traced: bool
) -> None:
    with collector() as taken:
        own = variables(taken, rabbitmq)
        if not traced:
            del own["APP_TRACES_ENDPOINT"]
        with server(tmp_path, sqlite_url, "analytics", **own) as analytics:
            bad = Event(new_id(), "task.created", uuid4(), utc_now(), {"task_id": "none"}, TRACEPARENT)
            settings = make_settings(sqlite_url, events_url=SecretStr(rabbitmq.url))
            transport = RabbitTransport(Broker(settings), [ServiceQueue("analytics", ["task.created"])])
            transport.publish([bad])
            transport.close()

            def logged() -> list[dict[str, Any]]:
                lines = [json.loads(line) for line in analytics.log.read_text().splitlines() if line.startswith("{")]
                return [line for line in lines if line["event"] == "event not handled"]

            wait_for(lambda: bool(logged()), "the failure is logged")
            assert logged()[0]["trace_id"] == TRACE
            if traced:
                assert one(taken, "analytics task.created").failed
