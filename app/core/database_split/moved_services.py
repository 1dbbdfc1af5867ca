"""Services that have moved to databases of their own, as the servers of the former release know them."""

import threading
import time
from collections.abc import Callable, Mapping

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.database_split.fence import MOVED_SERVICES

FRESH = 0.5
"""Seconds for which what was found is used."""

KNOWN_AFTER = 1.0
"""Seconds after which every server knows of a move: only then do the new ones answer, so that no answer is stale."""

THERE = text("SELECT to_regclass(:name) IS NOT NULL")
ALL = text(f"SELECT service, address FROM {MOVED_SERVICES}")

log = structlog.get_logger(__name__)


class MovedServices:
    """Addresses of the servers of services that have moved.

    Args:
        engine: of the database that all services have shared.
        unavailable: whether the database is known not to answer.
        clock: monotonic time in seconds.
    """

    def __init__(
        self, engine: Engine, unavailable: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._unavailable = unavailable
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Mapping[str, str] = {}
        self._expected = False
        self._fresh_until = -float("inf")

    def known(self) -> Mapping[str, str]:
        """Return address by service, at most `FRESH` seconds old while the database answers."""
        # While another thread asks, what is known is used: it is older by that query.
        if self._clock() >= self._fresh_until and self._lock.acquire(blocking=False):
            try:
                self._refresh()
            finally:
                self._lock.release()
        return self._known

    def expected(self) -> bool:
        """Return whether a service is about to move, or has moved, as far as is known."""
        return self._expected

    def now(self) -> Mapping[str, str]:
        """Return address by service, asked now."""
        with self._lock:
            self._refresh()
        return self._known

    def _refresh(self) -> None:
        began = self._clock()
        if not self._unavailable():
            try:
                with self._engine.connect() as connection:
                    self._expected = there = bool(connection.scalar(THERE, {"name": MOVED_SERVICES}))
                    self._known = {row.service: row.address for row in connection.execute(ALL)} if there else {}
            except SQLAlchemyError as error:
                log.warning("moved services unknown", cause=type(error).__name__)
        self._fresh_until = began + FRESH
