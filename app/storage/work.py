"""One transaction and its repositories. A request opens its own; none is shared between threads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.platform.errors import UnavailableError
from app.storage.audit import SqlAudit
from app.storage.auth import SqlSessions, SqlUsers
from app.storage.engine import Database
from app.storage.files import SqlFiles
from app.storage.jobs import SqlJobs
from app.storage.once import SqlOnce
from app.storage.outbox import SqlOutbox
from app.storage.tasks import SqlTasks
from app.storage.versions import SqlVersions, touched


class SqlWork:
    """The repositories within one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.users = SqlUsers(session)
        self.sessions = SqlSessions(session)
        self.audit = SqlAudit(session)
        self.tasks = SqlTasks(session)
        self.jobs = SqlJobs(session)
        self.files = SqlFiles(session)
        self.outbox = SqlOutbox(session)
        self.once = SqlOnce(session)
        self.versions = SqlVersions(session)


class SqlStorage:
    """Opens transactions: to read, or to write.

    Args:
        database: where.
        changed: is told after each commit whose data has changed. Without it the transactions count the changes, for
            who asks the database (see app.storage.versions).
    """

    def __init__(self, database: Database, changed: Callable[[set[UUID]], None] | None = None) -> None:
        self._database = database
        self._changed = changed

    @contextmanager
    def read(self) -> Iterator[SqlWork]:
        with _session(self._database.reader) as session:
            yield SqlWork(session)

    @contextmanager
    def write(self) -> Iterator[SqlWork]:
        with _session(self._database.writer) as session:
            work = SqlWork(session)
            yield work
            if self._changed is None:
                work.versions.count()
            session.commit()
            if self._changed is not None and (users := touched(session)):
                self._changed(users)


@contextmanager
def _session(engine: Engine) -> Iterator[Session]:
    try:
        with Session(engine, expire_on_commit=False) as session:
            yield session
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise UnavailableError("The database can't be reached.") from error
