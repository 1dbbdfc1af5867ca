"""What a service adds to a process."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from app.core.database.unit_of_work import Storage

if TYPE_CHECKING:
    from flask_openapi.blueprint import APIBlueprint

    from app.core.database.retention import Rule
    from app.core.events.model import Consumer
    from app.core.jobs.erasure import Eraser
    from app.core.jobs.handler import Handler, SideEffectHandler
    from app.core.jobs.model import JobKind
    from app.core.jobs.polling_loop import PollingLoop
    from app.core.jobs.scheduler import Entry
    from app.core.jobs.service import JobService
    from app.core.personal_data import DataSection


class Service(ABC):
    """A service, wired. What one has none of stays empty.

    Attributes:
        name: as in app.bootstrap.services.
        storage: opens transactions with its repositories.
        handlers, side_effects: do its jobs, by kind.
        kinds: what the API says of its jobs, by kind.
        schedule: its jobs that are due by the clock.
        consumers: of events.
        erase: deletes what it has of a user; None where its own code does that.
        data: what it has of a user, for a copy of that.
        loops: what goes on by itself.
        rules: when its rows are deleted, in the order in which they are applied.
    """

    name: ClassVar[str]
    storage: Storage[Any]
    handlers: "Mapping[str, Handler[Any]]" = MappingProxyType({})
    side_effects: "Mapping[str, SideEffectHandler]" = MappingProxyType({})
    kinds: "Mapping[str, JobKind]" = MappingProxyType({})
    schedule: "Sequence[Entry]" = ()
    consumers: "Sequence[Consumer[Any]]" = ()
    erase: "Eraser[Any] | None" = None
    data: "Sequence[DataSection[Any]]" = ()
    loops: "Sequence[PollingLoop]" = ()
    rules: "Sequence[Rule]" = ()

    @abstractmethod
    def blueprints(self, jobs: "JobService") -> "list[APIBlueprint]":
        """Return its part of the API. Only a server needs it, and loads its routes.

        Args:
            jobs: the users' jobs.
        """
