"""Shares of the services: which rows of the core's tables go along when a service gets a database of its own."""

from collections.abc import Callable
from importlib import import_module

from sqlalchemy import Table

from app.bootstrap.background import core_consumers
from app.bootstrap.container import Container, build, sample_settings
from app.bootstrap.services import SERVICES, SESSIONS
from app.bootstrap.wiring import Service
from app.core.database_split.share import References, Rows, ServiceShare, TableShare
from app.core.jobs import data_export_job, erasure

FILES = {"auth": References("users", "avatar_id"), "tasks": References("attachments", "id")}
"""Rows that refer to uploads, by service; the jobs of these services have files, their requests idempotency keys."""

Assignment = Callable[[Container, Service], tuple[Rows, ...]]
"""Returns the rows of a table that a service takes along; none for a table that it has no rows in."""


def _events(_container: Container, service: Service) -> tuple[Rows, ...]:
    return (Rows("share", "name", tuple(event.name for event in service.events)),)


def _deliveries(container: Container, service: Service) -> tuple[Rows, ...]:
    of_core = tuple(each.name for each in core_consumers(container.platform.cache))
    own = tuple(consumer.name for consumer in service.every_consumer)
    copied = Rows("copied", "consumer", of_core)
    return (Rows("share", "consumer", own), copied) if own else (copied,)


def _jobs(_container: Container, service: Service) -> tuple[Rows, ...]:
    # A deleted user has jobs in each database: each erases its own.
    return Rows("share", "kind", job_kinds(service)), Rows("copied", "kind", (erasure.kind_of("jobs"),))


def _copied(_container: Container, _service: Service) -> tuple[Rows, ...]:
    return (Rows("copied"),)


def _copied_with_files(_container: Container, service: Service) -> tuple[Rows, ...]:
    return (Rows("copied"),) if service.name in FILES else ()


def _copied_without_sessions(_container: Container, service: Service) -> tuple[Rows, ...]:
    return () if service.name == SESSIONS else (Rows("copied"),)


def _none(_container: Container, _service: Service) -> tuple[Rows, ...]:
    return ()


def _of_tasks(_container: Container, service: Service) -> tuple[Rows, ...]:
    return (Rows("share"),) if service.name == "tasks" else ()


CORE: dict[str, Assignment] = {
    "outbox": _events,
    "handled_events": _deliveries,
    "failed_deliveries": _deliveries,
    "jobs": _jobs,
    "job_files": _copied_with_files,
    "job_refused_lines": _of_tasks,
    "objects": _copied_with_files,
    "object_pieces": _copied_with_files,
    "idempotency_keys": _copied_with_files,
    "deleted_users": _copied,
    # Keys of what processes cache: they count from nothing in a new one.
    "user_versions": _none,
    "ended_sessions": _copied_without_sessions,
}
"""Rows of the core's tables that a service takes along (docs/adr/0055-a-service-moves-by-logical-replication.md)."""


def job_kinds(service: Service) -> tuple[str, ...]:
    """Return the kinds of a service's jobs."""
    of_erasure = [erasure.kind_of(service.name)] if service.erase else []
    # Copies of all data stay where their requests were told to look: /jobs is of tasks.
    of_tasks = [data_export_job.KIND] if service.name == "tasks" else []
    return (*service.handlers, *service.side_effects, *of_erasure, *of_tasks)


def shares() -> dict[str, ServiceShare]:
    """Return what each service takes along, by its name."""
    container = build(sample_settings())
    return {name: _share(container, container.services[name]) for name in SERVICES}


def _share(container: Container, service: Service) -> ServiceShare:
    own, of_core = (import_module(f"app.{name}.tables").BRANCH.metadata for name in (service.name, "core"))
    tables = [_table(table, (Rows("own"),)) for table in own.sorted_tables]
    assigned = [(table, CORE[table.name](container, service)) for table in of_core.sorted_tables]
    tables += [_table(table, rows) for table, rows in assigned if rows]
    return ServiceShare(
        service.name,
        tuple(tables),
        side_effects=tuple(service.side_effects),
        files=FILES.get(service.name),
        has_sessions=service.name == SESSIONS,
    )


def _table(table: Table, rows: tuple[Rows, ...]) -> TableShare:
    return TableShare(table.name, tuple(table.columns.keys()), rows)
