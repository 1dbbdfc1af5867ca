"""Wiring of background work: jobs, events and polling loops of the services of a process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prometheus_client import Counter

from app.bootstrap.events import event_loops
from app.bootstrap.platform import Platform
from app.bootstrap.services import SESSIONS, complete
from app.bootstrap.wiring import Service
from app.core.cache.interface import UserCache
from app.core.clock import new_id, utc_now
from app.core.database.retention import Rule
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.events.dispatcher import Dispatcher, delivery_counter
from app.core.events.model import Consumer
from app.core.events.transport import InProcessTransport
from app.core.jobs import data_export_job, data_export_parts, erasure
from app.core.jobs.data_export_job import DataSource, ExportData, JobsData, StoredSection
from app.core.jobs.erasure import EraseOnDeletion, EraseUser, RequeueErasure, erase_jobs
from app.core.jobs.handler import Handler, SideEffectHandler
from app.core.jobs.polling_loop import PollingLoop
from app.core.jobs.runner import Runner, ServiceRunners
from app.core.jobs.scheduler import Scheduler
from app.core.retention_rules import RULES as CORE_RULES
from app.core.sessions.consumer import EndedSessionConsumer
from app.core.settings import Settings

if TYPE_CHECKING:
    from app.core.events.contracts import ContractConsumer

SCHEDULING = 60
"""Seconds between two runs of the scheduler."""


@dataclass(frozen=True)
class Background:
    """Background work of a process.

    Args:
        runner: runs jobs of all kinds of the services.
        transport: delivers events to the consumers of the process.
        subscriptions: names of the events that each service subscribes to, by service.
        deliveries: counts deliveries by consumer and outcome.
        loops: polling loops; with inline jobs they run in the server.
        rules: retention rules.
    """

    runner: ServiceRunners
    transport: InProcessTransport
    subscriptions: Mapping[str, frozenset[str]]
    deliveries: Counter
    loops: tuple[PollingLoop, ...]
    rules: tuple[Rule, ...]


def background(platform: Platform, services: Sequence[Service]) -> Background:
    """Wire the background work of some services."""
    settings = platform.settings
    core = platform.storage(UnitOfWork)
    deliveries = delivery_counter()
    whole = platform.database.shared_by_all if complete(services) else lambda: False
    runners = [_runner(platform, core, _core_handlers(core, services, whole), {})]
    # The core's tables are in the database of each service.
    shared, sessions = (_dispatcher(platform, core, [each], deliveries) for each in core_consumers(platform.cache))
    learning = _without_sessions(settings, services)
    own: dict[str, list[Dispatcher[Any]]] = {}
    for service in services:
        handlers, consumers = dict(service.handlers), service.every_consumer
        if service.erase:
            handlers[erasure.kind_of(service.name)] = EraseUser(service.erase, utc_now)
        if platform.service:
            sections = _sections(core, [service])
            handlers[data_export_parts.kind_of(service.name)] = ExportData(sections, utc_now, part=service.name)
        runners.append(_runner(platform, service.storage, handlers, service.side_effects))
        own[service.name] = [_dispatcher(platform, service.storage, consumers, deliveries)] if consumers else []
    of_core = {name: [shared, sessions] if name in learning else [shared] for name in own}
    by_service = {name: InProcessTransport([*of_core[name], *dispatchers]) for name, dispatchers in own.items()}
    every = [shared, *([sessions] if learning else []), *(each for dispatchers in own.values() for each in dispatchers)]
    transport = InProcessTransport(every)
    schedule = [entry for service in services for entry in service.schedule]

    loops = [
        PollingLoop("deliveries", transport.run_once, settings.job_poll),
        PollingLoop("scheduler", Scheduler(core, schedule, utc_now, new_id).run_once, SCHEDULING),
        *(loop for service in services for loop in service.loops),
        *event_loops(settings, platform.database, core, transport, by_service, platform.telemetry.spans),
    ]
    return Background(
        runner=ServiceRunners(core, runners),
        transport=transport,
        subscriptions={name: local.subscribed for name, local in by_service.items()},
        deliveries=deliveries,
        loops=tuple(loops),
        rules=(*(rule for service in services for rule in service.rules), *CORE_RULES),
    )


def core_consumers(cache: UserCache) -> "tuple[ContractConsumer[UnitOfWork], ...]":
    """Return the event consumers of the core's tables: that of all services, and that of services without sessions.

    Args:
        cache: the service's cache.
    """
    return EraseOnDeletion("jobs", utc_now, new_id), EndedSessionConsumer(cache)


def _without_sessions(settings: Settings, services: Sequence[Service]) -> set[str]:
    """Return the services of a process that learn of ended sessions by events."""
    names = {service.name for service in services}
    # Without a broker events stay in the process, and with auth's tables there is nothing to learn.
    return names - {SESSIONS} if settings.events_by_broker or SESSIONS not in names else set()


def _core_handlers(
    core: Storage[UnitOfWork], services: Sequence[Service], whole: Callable[[], bool]
) -> dict[str, Handler[UnitOfWork]]:
    """Return the handlers of jobs that belong to no single service.

    Args:
        services: of the process.
        whole: whether these are all services, and the database has the data of all. Otherwise a copy of all data, which
            was asked for before the services moved, fails.
    """
    return {
        erasure.kind_of("jobs"): EraseUser(erase_jobs, utc_now),
        erasure.FORMER_KIND: RequeueErasure(utc_now, new_id),
        data_export_job.KIND: ExportData(_sections(core, services), utc_now, whole),
    }


def _sections(core: Storage[UnitOfWork], services: Sequence[Service]) -> list[DataSource]:
    """Return the sections of a data export: of some services, and the jobs in their database."""
    own = (StoredSection(service.storage, section) for service in services for section in service.data)
    return [*own, StoredSection(core, JobsData())]


def _runner(
    platform: Platform,
    storage: Storage[Any],
    handlers: Mapping[str, Handler[Any]],
    side_effects: Mapping[str, SideEffectHandler],
) -> Runner[Any]:
    settings = platform.settings
    return Runner(
        storage,
        handlers,
        side_effects,
        utc_now,
        new_id,
        lease=settings.visibility_timeout,
        attempts=settings.job_attempts,
        backoff=settings.job_backoff,
        spans=platform.telemetry.spans,
    )


def _dispatcher(
    platform: Platform, storage: Storage[Any], consumers: Sequence[Consumer[Any]], deliveries: Counter
) -> Dispatcher[Any]:
    settings = platform.settings
    return Dispatcher(
        storage,
        consumers,
        utc_now,
        attempts=settings.job_attempts,
        first=settings.job_backoff,
        outcomes=deliveries,
        spans=platform.telemetry.spans,
        origin=_origin(platform),
    )


def _origin(platform: Platform) -> tuple[str, str] | None:
    """Return the exchange and the queue that the events of a service alone come by."""
    if platform.service is None or not platform.settings.events_by_broker:
        return None
    from app.core.events.topology import EVENTS, ServiceQueue

    return EVENTS, ServiceQueue(platform.service).name
