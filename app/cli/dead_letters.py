"""`dead-letters`: list dead-lettered jobs and events, and requeue them once the cause is fixed."""

import json
import sys
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING
from uuid import UUID

from app.bootstrap.services import chosen
from app.cli import fail
from app.core.errors import ServiceError
from app.core.settings import SettingsError, load_settings

if TYPE_CHECKING:
    from app.core.events.dead_letter_queue import DeadLetterQueue
    from app.core.jobs.dead_letters import DeadLetters
    from app.core.settings import Settings

MOST = 1000
"""Most dead letters listed."""


def show(kind: str | None, service: str, as_json: bool) -> int:
    """Print dead letters, latest first: one per line, or all as JSON.

    Args:
        kind: kind of job, or name of an event consumer or of a service's queue; None for all.
        service: whose queue of messages to look at, where there is a broker: one of app.bootstrap.services.CHOICES.
    """

    def found(letters: "DeadLetters") -> str:
        rows = [
            {**vars(letter), "id": str(letter.id), "at": letter.at.isoformat()} for letter in letters.find(kind, MOST)
        ]
        if as_json:
            return json.dumps(rows, indent=2)
        lines = [f"{r['what']:5}  {r['id']}  {r['kind']}  {r['at']}  {r['tries']} tries: {r['error']}" for r in rows]
        return "\n".join(lines) or "no dead letters"

    return _run(found, service)


def revive(ids: Collection[UUID], kind: str | None, service: str, as_json: bool) -> int:
    """Requeue dead letters: those with the given ids, or all of a kind. Arguments: as for `show`."""
    if bool(ids) == (kind is not None):
        return fail("give identifiers, or a kind", 2)

    def revived(letters: "DeadLetters") -> str:
        number = letters.requeue(ids or None, kind)
        return json.dumps({"revived": number}) if as_json else f"revived: {number}"

    return _run(revived, service)


def _run(command: "Callable[[DeadLetters], str]", service: str) -> int:
    """Print the result of a command, or its error in one line."""
    from app.core.clock import utc_now
    from app.core.database.engine import connect
    from app.core.database.unit_of_work import Storage, UnitOfWork
    from app.core.jobs.dead_letters import DeadLetters

    try:
        settings = load_settings()
    except SettingsError as error:
        return fail(str(error), 2)
    database, queues = connect(settings), _queues(settings, service)
    try:
        text = command(DeadLetters(Storage(database, UnitOfWork), utc_now, queues))
    except ServiceError as error:
        return fail(str(error))
    finally:
        database.dispose()
    sys.stdout.write(f"{text}\n")
    return 0


def _queues(settings: "Settings", service: str) -> "list[DeadLetterQueue]":
    """Return the dead-letter queues of services in the broker of events, if there is one."""
    if not settings.events_by_broker:
        return []
    from app.core.events.dead_letter_queue import DeadLetterQueue
    from app.core.events.rabbitmq import Broker
    from app.core.events.topology import ServiceQueue

    broker = Broker(settings)
    return [DeadLetterQueue(broker, ServiceQueue(name)) for name in chosen(service)]
