"""Parts of a data export: with a database for each service, each makes an archive of its own, asked by an event."""

from types import MappingProxyType
from typing import cast
from uuid import UUID

from typing_extensions import TypedDict

from app.core.clock import Clock
from app.core.database.unit_of_work import UnitOfWork
from app.core.events.contracts import Id
from app.core.events.model import EXPORT_REQUESTED, Event
from app.core.jobs.model import Job, JobKind


class RequestedExport(TypedDict):
    export_id: Id


def kind_of(service: str) -> str:
    """Return the kind of the jobs that make a service's part."""
    return f"data-export.{service}"


def archive_of(service: str) -> JobKind:
    """Return how the API presents a service's part."""
    return JobKind("application/zip", f"my-data-{service}.zip")


class ExportRequestConsumer:
    """Queues the job of a service's part, and cancels that of an earlier request: the latest copy is enough."""

    reads = MappingProxyType({EXPORT_REQUESTED: RequestedExport})
    events = reads.keys()

    def __init__(self, service: str, clock: Clock) -> None:
        self.name = f"{service}.data_export"
        self._kind = kind_of(service)
        self._clock = clock

    def handle(self, work: UnitOfWork, event: Event) -> None:
        if event.user_id is None:
            raise ValueError(f"{event.name} is about nobody")
        export_id = UUID(cast("RequestedExport", event.payload)["export_id"])
        if under_way := work.jobs.under_way(event.user_id, self._kind):
            if under_way > export_id:  # events may come in another order
                return
            work.jobs.cancel(event.user_id, under_way, self._clock())
        work.jobs.add(Job(export_id, event.user_id, self._kind, self._clock()))
