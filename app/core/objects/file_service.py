"""File store: uploads that no crash can orphan.

An object store takes no part in database transactions. So each file is first recorded in the database as unlinked,
with an expiry time; then its bytes are stored; the transaction that stores a reference to the file links it. A sweep
deletes expired unlinked files, whether left by a crash, a rejected request or the deletion of their reference.
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
"""Time limit for storing and linking a file, after which it expires."""

SWEPT = 50
"""Files that one sweep deletes."""

log = structlog.get_logger(__name__)


class FileStore:
    """Files with their metadata in the database and their bytes in an object store."""

    def __init__(self, storage: ObjectStorage, store: ObjectStore, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._store = store
        self._clock = clock
        self._new_id = new_id

    @contextmanager
    def store(self, upload: Upload) -> Iterator[StoredObject]:
        """Store an uploaded file; delete it at the end of the block unless a transaction in the block links it."""
        stored = StoredObject(self._new_id(), upload.name, upload.content_type, upload.size)
        run(self._storage.write, lambda work: work.objects.add(stored, self._clock() + UPLOAD_TIME))
        try:
            self._store.put(stored.key, upload.file, upload.size)
            yield stored
        finally:
            self._expire_unlinked(stored.key)
            self.sweep()

    def open(self, key: UUID) -> tuple[StoredObject, Iterator[bytes]]:
        """Return a linked file and its bytes, in chunks.

        Raises:
            NotFoundError: there is no such file.
            UnavailableError: its bytes can't be read.
        """
        stored = run(self._storage.read, lambda work: work.objects.get(key))
        if stored is None:
            raise NotFoundError(NO_SUCH_FILE)
        chunks = self._store.get(key)
        try:
            # Read the first chunk now, while an error response is still possible.
            first = next(chunks, b"")
        except MissingObjectError as error:
            raise UnavailableError("The file can't be read.") from error
        return stored, chain((first,), chunks)

    def _expire_unlinked(self, key: UUID) -> None:
        """Let a file expire now if it is unlinked; the database decides, also after a COMMIT with unknown outcome.

        While the database is unavailable, the file stays until its expiry time.
        """
        try:
            run(self._storage.write, lambda work: work.objects.expire_unlinked(key, self._clock()))
        except UnavailableError as error:
            log.warning("upload stays until it expires", reason=str(error))

    def sweep(self) -> bool:
        """Delete a batch of expired unlinked files; return whether there may be more.

        A file that can't be deleted now stays for a later sweep.
        """
        try:
            keys = run(self._storage.read, lambda work: work.objects.unlinked(self._clock(), SWEPT))
            for key in keys:
                self._store.delete(key)
            if keys:
                run(self._storage.write, lambda work: work.objects.delete(keys))
        except UnavailableError as error:
            log.warning("sweep of unlinked files failed", reason=str(error))
            return False
        return len(keys) == SWEPT
