"""The rules of avatars: a picture that is ours, made from the one that came. None is ever fetched from an address."""

from io import BytesIO
from typing import IO, Protocol
from uuid import UUID

from app.platform.clock import Clock
from app.platform.errors import UnauthenticatedError, UnavailableError
from app.platform.objects.model import Upload
from app.platform.objects.shelf import Shelf
from app.platform.retries import run
from app.services.auth.ports import AuthStorage, AuthWork

CONTENT_TYPE = "image/webp"


class Pictures(Protocol):
    def avatar(self, file: IO[bytes]) -> bytes:
        """Make a small square WebP of a picture of any size. Raises InvalidError if it can't be read, or is a bomb."""


class AvatarService:
    def __init__(self, storage: AuthStorage, shelf: Shelf, pictures: Pictures, clock: Clock) -> None:
        self._storage = storage
        self._shelf = shelf
        self._pictures = pictures
        self._clock = clock

    def replace(self, user_id: UUID, file: IO[bytes]) -> None:
        """Give an account an avatar. Raises InvalidError if the file is no picture."""
        picture = self._pictures.avatar(file)
        upload = Upload(BytesIO(picture), len(picture), "avatar.webp", CONTENT_TYPE)

        def adopt(work: AuthWork) -> None:
            if not work.objects.adopt(stored.key, self._clock()):
                raise UnavailableError("Storing the picture took too long.")
            self._swap(work, user_id, stored.key)

        with self._shelf.keep(upload) as stored:
            run(self._storage.write, adopt)

    def remove(self, user_id: UUID) -> None:
        """Take an account's avatar away, if it has one."""
        run(self._storage.write, lambda work: self._swap(work, user_id, None))
        self._shelf.sweep()

    def _swap(self, work: AuthWork, user_id: UUID, avatar_id: UUID | None) -> None:
        if work.users.locked(user_id) is None:  # an upload may take longer than its user stays
            raise UnauthenticatedError("The account no longer exists.")
        former = work.users.swap_avatar(user_id, avatar_id)
        if former is not None:
            work.objects.loosen([former], self._clock())
