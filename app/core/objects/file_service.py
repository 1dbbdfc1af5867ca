"""File store: uploads that no crash can orphan.

A store of files takes no part in the database's transactions. So each file is noted in the database before the first
of its bytes is stored, as one that nothing refers to; what comes to refer to it adopts it by the same transaction; and
whatever is loose when its time has come is swept away, be it left by a crash, by a refusal, or by its owner.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from uuid import UUID

import structlog

from app.core.clock import Clock, NewId
from app.core.database.retries import run
from app.core.errors import NotFoundError, UnavailableError
from app.core.objects.model import MissingObjectError, ObjectStorage, ObjectStore, StoredObject, Upload

NO_SUCH_FILE = "There is no such file, or its address is no longer good."

UPLOAD_TIME = timedelta(hours=1)
"""How long storing and adopting a file may take."""

SWEPT = 50
"""Files that are swept away at a time."""

log = structlog.get_logger(__name__)


class FileStore:
    def __init__(self, storage: ObjectStorage, store: ObjectStore, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._store = store
        self._clock = clock
        self._new_id = new_id

    @contextmanager
    def store(self, upload: Upload) -> Iterator[StoredObject]:
        """Store a file for the block, which adopts it in its transaction. What it has not adopted goes at its end."""
        stored = StoredObject(self._new_id(), upload.name, upload.content_type, upload.size)
        run(self._storage.write, lambda work: work.objects.add(stored, self._clock() + UPLOAD_TIME))
        try:
            self._store.put(stored.key, upload.file, upload.size)
            yield stored
        finally:
            self._expire_unlinked(stored.key)
            self.sweep()

    def open(self, key: UUID) -> tuple[StoredObject, Iterator[bytes]]:
        """Return a file and its bytes, a piece at a time. Raises NotFoundError."""
        stored = run(self._storage.read, lambda work: work.objects.get(key))
        if stored is None:
            raise NotFoundError(NO_SUCH_FILE)
        pieces = self._store.get(key)
        try:
            # The first piece now, while there is still time to say that it isn't there.
            first = next(pieces, b"")
        except MissingObjectError as error:
            raise UnavailableError("The file can't be read.") from error
        return stored, chain((first,), pieces)

    def _expire_unlinked(self, key: UUID) -> None:
        """Give up a file unless a transaction has adopted it, also one whose COMMIT was not acknowledged.

        Where the database can't say now, the file's own time decides later.
        """
        try:
            run(self._storage.write, lambda work: work.objects.expire_unlinked(key, self._clock()))
        except UnavailableError as error:
            log.warning("an upload stays until its time is over", reason=str(error))

    def sweep(self) -> bool:
        """Delete some files that are loose; say whether there may be more. What can't be deleted stays for later."""
        try:
            keys = run(self._storage.read, lambda work: work.objects.unlinked(self._clock(), SWEPT))
            for key in keys:
                self._store.delete(key)
            if keys:
                run(self._storage.write, lambda work: work.objects.delete(keys))
        except UnavailableError as error:
            log.warning("loose files stay for now", reason=str(error))
            return False
        return len(keys) == SWEPT
