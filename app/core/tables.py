"""Tables of every database, whichever services use it: the `core` branch of the schema."""

from app.core.database import idempotency_key_table, user_version_table
from app.core.database.base import Base
from app.core.database.migrate import Branch
from app.core.events import tables as events
from app.core.jobs import tables as jobs
from app.core.objects import tables as objects
from app.core.sessions import tables as sessions

__all__ = ["BRANCH", "events", "idempotency_key_table", "jobs", "objects", "sessions", "user_version_table"]

BRANCH = Branch("core", "core_0002", Base.metadata)
