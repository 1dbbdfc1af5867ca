"""Unit of work with the repositories of all services, to prepare and inspect their data."""

from collections.abc import Callable
from uuid import UUID

from app.analytics.unit_of_work import AnalyticsUnitOfWork
from app.auth.unit_of_work import AuthUnitOfWork
from app.bootstrap.container import Container
from app.core.database.engine import Database
from app.core.database.unit_of_work import Storage
from app.notifications.unit_of_work import NotificationUnitOfWork
from app.tasks.unit_of_work import TaskUnitOfWork


class SystemUnitOfWork(AuthUnitOfWork, TaskUnitOfWork, NotificationUnitOfWork, AnalyticsUnitOfWork):
    pass


class SystemStorage(Storage[SystemUnitOfWork]):
    def __init__(self, database: Database, changed: Callable[[set[UUID], int | None], None] | None = None) -> None:
        super().__init__(database, SystemUnitOfWork, changed)


def storage_of(container: Container) -> SystemStorage:
    """Return storage on a container's database that invalidates its cache."""
    return SystemStorage(container.database, container.platform.changed)
