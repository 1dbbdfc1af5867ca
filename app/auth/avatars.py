"""Avatars: uploaded pictures are re-encoded, and none is fetched from a URL."""

from io import BytesIO
from typing import IO, Protocol
from uuid import UUID

from app.auth.ports import AuthStorage, AuthWork
from app.core.clock import Clock
from app.core.database.retries import run
from app.core.errors import UnauthenticatedError, UnavailableError
from app.core.objects.file_service import FileStore
from app.core.objects.model import Upload

CONTENT_TYPE = "image/webp"


class Pictures(Protocol):
    def avatar(self, file: IO[bytes]) -> bytes:
        """Return a small square WebP of a picture. Raises InvalidError: unreadable, or a decompression bomb."""


class AvatarService:
    def __init__(self, storage: AuthStorage, file_store: FileStore, pictures: Pictures, clock: Clock) -> None:
        self._storage = storage
        self._file_store = file_store
        self._pictures = pictures
        self._clock = clock

    def replace(self, user_id: UUID, file: IO[bytes]) -> None:
        """Give an account an avatar. Raises InvalidError if the file is no picture."""
        picture = self._pictures.avatar(file)
        upload = Upload(BytesIO(picture), len(picture), "avatar.webp", CONTENT_TYPE)

        def adopt(work: AuthWork) -> None:
            if not work.objects.link(stored.key, self._clock()):
                raise UnavailableError("Storing the picture took too long.")
            self._swap(work, user_id, stored.key)

        with self._file_store.store(upload) as stored:
            run(self._storage.write, adopt)

    def remove(self, user_id: UUID) -> None:
        """Remove an account's avatar, if it has one."""
        run(self._storage.write, lambda work: self._swap(work, user_id, None))
        self._file_store.sweep()

    def _swap(self, work: AuthWork, user_id: UUID, avatar_id: UUID | None) -> None:
        if work.users.locked(user_id) is None:  # the account may have been deleted during the upload
            raise UnauthenticatedError("The account no longer exists.")
        former = work.users.swap_avatar(user_id, avatar_id)
        if former is not None:
            work.objects.unlink([former], self._clock())
