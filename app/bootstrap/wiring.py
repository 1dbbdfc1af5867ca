"""Interface of a wired service."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from app.bootstrap.services import SESSIONS
from app.core.clock import new_id, utc_now
from app.core.database.unit_of_work import Storage
from app.core.jobs.data_export_parts import ExportRequestConsumer
from app.core.jobs.erasure import EraseOnDeletion
from app.core.sessions.events import EVENTS as SESSION_EVENTS

if TYPE_CHECKING:
    from flask_openapi.blueprint import APIBlueprint
    from prometheus_client.registry import Collector

    from app.core.database.retention import Rule
    from app.core.events.contracts import ContractConsumer, EventType
    from app.core.jobs.erasure import Eraser
    from app.core.jobs.handler import Handler, SideEffectHandler
    from app.core.jobs.model import JobKind
    from app.core.jobs.polling_loop import PollingLoop
    from app.core.jobs.scheduler import Entry
    from app.core.jobs.service import JobService
    from app.core.personal_data import DataSection


class Service(ABC):
    """A wired service; attributes that do not apply stay empty.

    Attributes:
        name: as in app.bootstrap.services.
        storage: opens transactions with its repositories.
        handlers, side_effects: job handlers by kind.
        kinds: description of its jobs in the API, by kind.
        schedule: its scheduled jobs.
        events: the types of events that it publishes.
        consumers: its event consumers.
        erase: deletes its data of a user; None if it does so without an event.
        data: sections of the data export of a user.
        loops: its polling loops.
        rules: its retention rules, in the order of application.
        collectors: its metrics.
    """

    name: ClassVar[str]
    storage: Storage[Any]
    handlers: "Mapping[str, Handler[Any]]" = MappingProxyType({})
    side_effects: "Mapping[str, SideEffectHandler]" = MappingProxyType({})
    kinds: "Mapping[str, JobKind]" = MappingProxyType({})
    schedule: "Sequence[Entry]" = ()
    events: "ClassVar[Sequence[EventType]]" = ()
    consumers: "Sequence[ContractConsumer[Any]]" = ()
    erase: "Eraser[Any] | None" = None
    data: "Sequence[DataSection[Any]]" = ()
    loops: "Sequence[PollingLoop]" = ()
    rules: "Sequence[Rule]" = ()
    collectors: "Sequence[Collector]" = ()

    @property
    def every_consumer(self) -> "list[ContractConsumer[Any]]":
        """Its event consumers, with those that erase its data of deleted users, and make its part of a data export."""
        erasing = [EraseOnDeletion(self.name, utc_now, new_id)] if self.erase else []
        # Auth takes the requests, and makes its own part without an event.
        exporting = [ExportRequestConsumer(self.name, utc_now)] if self.data and self.name != SESSIONS else []
        return [*self.consumers, *erasing, *exporting]

    @property
    def every_event(self) -> "list[EventType]":
        """The types of events that it publishes, with those by which services without sessions ask for them."""
        return [*self.events, *(() if self.name == SESSIONS else SESSION_EVENTS)]

    @abstractmethod
    def blueprints(self, jobs: "JobService") -> "list[APIBlueprint]":
        """Return its blueprints. Called by servers only: imports the routes.

        Args:
            jobs: service of the users' jobs.
        """
