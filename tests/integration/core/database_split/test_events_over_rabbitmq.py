"""Events between services over RabbitMQ while one has left the shared database and others have not."""

from uuid import uuid4

from pydantic import SecretStr

from app.bootstrap.container import build
from app.core.clock import utc_now
from app.core.events.model import Event
from app.core.events.topology import ServiceQueue
from app.core.jobs.polling_loop import stop_all
from tests.integration.core.database_split.test_former_release import leave
from tests.support.ports import wait_for
from tests.support.rabbitmq import RabbitMq
from tests.support.settings import make_settings
from tests.support.split import Move
from tests.support.storage import storage_of


def test_events_go_on_and_wait_for_the_service_that_has_moved(move: Move, rabbitmq: RabbitMq) -> None:
    move.succeed("prepare")
    former = build(make_settings(move.former_url, events_url=SecretStr(rabbitmq.url), job_poll=0.05, events_poll=0.05))
    loops = {loop.name: loop for loop in former.background.loops if loop.name.startswith(("relay", "events of"))}
    queue = ServiceQueue("tasks").name
    handled = "SELECT count(*) FROM handled_events WHERE consumer = '{}.erasure'"
    for loop in loops.values():
        loop.start()
    try:
        leave(move)
        with storage_of(former).write() as work:
            work.outbox.add(Event(uuid4(), "user.deleted", uuid4(), utc_now()))
        for service in ("notifications", "analytics"):
            wait_for(lambda of=service: move.ask(handled.format(of)) == 1, f"{service} has the event")  # type: ignore[misc]
        tasks = loops["events of tasks"]
        wait_for(lambda: tasks._thread is not None and not tasks._thread.is_alive(), "the former consumer has left")
        wait_for(lambda: rabbitmq.depth(queue) == 1, "its event waits for the new one")
        assert all(loop._thread and loop._thread.is_alive() for loop in loops.values() if loop is not tasks)
        assert move.ask(handled.format("tasks")) == 0
        assert move.ask("SELECT count(*) FROM failed_deliveries") == 0
        assert move.ask("SELECT count(*) FROM outbox WHERE carried_at IS NULL") == 0
    finally:
        stop_all(loops.values(), 10)
        former.database.dispose()
