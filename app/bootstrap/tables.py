"""Tables of all services: importing this module fills the metadata."""

from app.analytics import tables as analytics
from app.auth import tables as auth
from app.core.database import idempotency_key_table, user_version_table
from app.core.database.base import Base
from app.core.events import tables as events
from app.core.jobs import tables as jobs
from app.core.objects import tables as objects
from app.notifications import tables as notifications
from app.tasks import tables as tasks

__all__ = [
    "METADATA",
    "analytics",
    "auth",
    "events",
    "idempotency_key_table",
    "jobs",
    "notifications",
    "objects",
    "tasks",
    "user_version_table",
]

METADATA = Base.metadata
