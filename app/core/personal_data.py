"""Port of data exports: a service's files of a user, a page at a time."""

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
        name: its path there.
        content: its bytes, a piece at a time.
    """

    name: str
    content: Iterable[bytes]


@dataclass(frozen=True)
class DataPage:
    """Some files.

    Args:
        files: of this page.
        after: where the next page begins, in the section's own words; None when this was the last.
    """

    files: Sequence[DataFile]
    after: str | None = None


class DataSection(Protocol[Work_contra]):
    """One part of what a service has of its users."""

    def page(self, work: Work_contra, user_id: UUID, after: str | None) -> DataPage:
        """Return the files of a user after a place: some megabytes at most."""


def json_file(name: str, value: object) -> DataFile:
    """Return a JSON file of what dataclasses, lists, times and the like hold."""
    return DataFile(name, [to_json(value, indent=2)])
