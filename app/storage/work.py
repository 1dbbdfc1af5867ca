"""One transaction and its repositories. A request opens its own; none is shared between threads."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.platform.errors import UnavailableError
from app.storage.audit import SqlAudit
from app.storage.auth import SqlSessions, SqlUsers
from app.storage.engine import Database
from app.storage.tasks import SqlTasks


class SqlWork:
    """The repositories within one transaction."""

    def __init__(self, session: Session) -> None:
        self.users = SqlUsers(session)
        self.sessions = SqlSessions(session)
        self.audit = SqlAudit(session)
        self.tasks = SqlTasks(session)


class SqlStorage:
    """Opens transactions: to read, or to write."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def read(self) -> Iterator[SqlWork]:
        with _session(self._database.reader) as session:
            yield SqlWork(session)

    @contextmanager
    def write(self) -> Iterator[SqlWork]:
        with _session(self._database.writer) as session:
            yield SqlWork(session)
            session.commit()


@contextmanager
def _session(engine: Engine) -> Iterator[Session]:
    try:
        with Session(engine, expire_on_commit=False) as session:
            yield session
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise UnavailableError("The database can't be reached.") from error
