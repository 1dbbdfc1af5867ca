"""Unit of work: one transaction and its repositories. Each request opens its own; none is shared between threads."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.core.database import read_position
from app.core.database.engine import Database
from app.core.database.errors import MOVED, MOVING, connection_lost, disk_full, rolled_back, sqlstate
from app.core.database.idempotency_keys import SqlIdempotencyKeys
from app.core.database.user_versions import SqlVersions, touched
from app.core.errors import CommitUnknownError, MovedError, MovingError, TransientError, UnavailableError
from app.core.events.deleted_users import SqlDeletedUsers
from app.core.events.inbox import SqlInbox
from app.core.events.outbox import SqlOutbox
from app.core.jobs.job_files import SqlFiles
from app.core.jobs.mail_queue import SqlMails
from app.core.jobs.repository import SqlJobs
from app.core.objects.repository import SqlObjectChunks, SqlObjects
from app.core.sessions.repository import SqlEndedSessions


class UnitOfWork:
    """The core's repositories within one transaction. Each service adds its own."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.objects = SqlObjects(session)
        self.object_chunks = SqlObjectChunks(session)
        self.jobs = SqlJobs(session)
        self.mails = SqlMails(session)
        self.files = SqlFiles(session)
        self.outbox = SqlOutbox(session)
        self.inbox = SqlInbox(session)
        self.deleted_users = SqlDeletedUsers(session)
        self.ended_sessions = SqlEndedSessions(session)
        self.idempotency_keys = SqlIdempotencyKeys(session)
        self.versions = SqlVersions(session)

    def savepoint(self) -> AbstractContextManager[object]:
        """Begin a savepoint, which is rolled back alone if its block raises."""
        return self.session.begin_nested()


W = TypeVar("W", bound=UnitOfWork)
"""A service's unit of work."""

W_co = TypeVar("W_co", bound=UnitOfWork, covariant=True)


class Storage(Generic[W_co]):
    """Opens transactions that read or write.

    Args:
        database: primary and replicas.
        unit_of_work: class with the repositories of the services of this process.
        changed: called after each commit with the users whose data changed and the commit LSN, None if it is unknown.
            Without it, each transaction increments the user versions in the database
            (see app.core.database.user_versions).
    """

    def __init__(
        self,
        database: Database,
        unit_of_work: type[W_co],
        changed: Callable[[set[UUID], int | None], None] | None = None,
    ) -> None:
        self._database = database
        self._unit_of_work = unit_of_work
        self._changed = changed

    def read(self) -> AbstractContextManager[W_co]:
        return self._read(self._database.reader)

    @contextmanager
    def _read(self, engine: Engine) -> Iterator[W_co]:
        with self._transaction(Session(engine, expire_on_commit=False)) as session:
            self._database.begin(session)
            yield self._unit_of_work(session)

    @contextmanager
    def read_of(self, user_id: UUID, *, snapshot: bool = False) -> Iterator[W_co]:
        """Open a transaction that reads one user's data: on a replica that has replayed their writes, or the primary.

        Args:
            user_id: user whose data is read.
            snapshot: whether all statements see one snapshot (REPEATABLE READ) rather than each its own.
        """
        single = None if snapshot else self._database.single
        position = read_position.required_position(user_id)
        session = self._database.replicas.begin(position) or self._of_primary(user_id, single)
        try:
            with self._transaction(session):
                if snapshot:
                    self._database.take_snapshot(session)
                yield self._unit_of_work(session)
        except TransientError:
            read_position.prefer_primary()
            raise

    def _of_primary(self, user_id: UUID, single: Engine | None) -> Session:
        """Begin a read on the primary; while it is unavailable, on a replica that has the user's writes, at any lag."""
        session = Session(single or self._database.reader, expire_on_commit=False)
        try:
            with self._translated_errors(session):
                self._database.begin(session)
        except UnavailableError:
            session.close()
            if late := self._database.replicas.begin_late(read_position.required_position(user_id, primary_away=True)):
                return late
            raise
        return session

    @contextmanager
    def write(self) -> Iterator[W_co]:
        writer = Session(self._database.writer, expire_on_commit=False)
        with self._database.writing(), self._transaction(writer) as session:
            copy_completion = self._database.copy_completion
            if copy_completion and not copy_completion.complete():
                raise UnavailableError("The database waits for the data of the one before.")
            self._database.begin(session)
            work = self._unit_of_work(session)
            yield work
            if self._changed is None:
                work.versions.increment()
            session.flush()
            try:
                lsn = self._commit(session)
            except CommitUnknownError:
                # Cached responses must not hide a write that may have been committed.
                self._after_commit(session, None)
                raise
        self._after_commit(session, lsn)

    def _after_commit(self, session: Session, lsn: int | None) -> None:
        read_position.clear()
        if self._changed is not None and (users := touched(session)):
            self._changed(users, lsn)

    @contextmanager
    def _transaction(self, session: Session) -> Iterator[Session]:
        """Close a session at the end, record its outcome, and translate database errors before the COMMIT."""
        with self._translated_errors(session), session:
            yield session
            self._database.record_outcome(session)

    @contextmanager
    def _translated_errors(self, session: Session) -> Iterator[None]:
        """Translate database errors before the COMMIT: UnavailableError, or TransientError if a retry is safe."""
        try:
            yield
        except PoolTimeout as error:
            raise UnavailableError("The database is busy.") from error
        except DBAPIError as error:
            self._database.record_outcome(session, error)
            if (state := sqlstate(error.orig)) == MOVED:
                raise MovedError("The data has moved to another database.") from error
            if state == MOVING:
                raise MovingError("The data is moving to another database. Try again in a few seconds.") from error
            if disk_full(error):
                raise UnavailableError("The database has no room left.") from error
            if connection_lost(error) or rolled_back(error):
                raise TransientError("The database can't be reached.") from error
            if isinstance(error, OperationalError | InterfaceError):
                raise UnavailableError("The database can't be reached.") from error
            raise

    def _commit(self, session: Session) -> int:
        """Commit, and return the commit LSN; 0, which any replica has replayed, if the connection reads none.

        Raises:
            CommitUnknownError: the answer was lost; the transaction may have been committed.
        """
        driver = session.connection().connection.driver_connection
        try:
            session.commit()
        except DBAPIError as error:
            if rolled_back(error) or isinstance(error, IntegrityError):  # the server answered that it did not commit
                raise
            self._database.record_outcome(session, error)
            raise CommitUnknownError("The database did not say whether it has stored this.") from error
        return getattr(driver, "position", 0)
