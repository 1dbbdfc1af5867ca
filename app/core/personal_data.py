"""Port of personal data exports: a service's files of a user, page by page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from pydantic_core import to_json

Work_contra = TypeVar("Work_contra", contravariant=True)


@dataclass(frozen=True)
class DataFile:
    """A file of the archive.

    Args:
        name: its path in the archive.
        content: its bytes, in chunks.
    """

    name: str
    content: Iterable[bytes]


@dataclass(frozen=True)
class DataPage:
    """A page of files.

    Args:
        files: the files.
        after: cursor of the next page, opaque outside the section; None on the last page.
    """

    files: Sequence[DataFile]
    after: str | None = None


class DataSection(Protocol[Work_contra]):
    """One kind of personal data that a service stores."""

    def page(self, work: Work_contra, user_id: UUID, after: str | None) -> DataPage:
        """Return the files of a user after a cursor: a few megabytes at most."""


def json_file(name: str, value: object) -> DataFile:
    """Return a JSON file of a value: dataclasses, lists, times and the like."""
    return DataFile(name, [to_json(value, indent=2)])
