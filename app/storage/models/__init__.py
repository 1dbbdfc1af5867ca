"""The tables. Each belongs to one service; no foreign key crosses from one service's tables to another's."""

# Whoever imports one of them has the metadata of all.
from app.storage.models import (  # noqa: F401
    analytics,
    auth,
    events,
    jobs,
    notifications,
    objects,
    tasks,
    versions,
)
