"""Which moments the database was brought back to, as a stack's configuration writes them.

The list only grows: a cluster is made once, by its own entry, so the program can say at any time how each came about.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.names import Generation


@dataclass(frozen=True)
class Restore:
    """One entry of the list.

    Args:
        moment: with its time zone; what was committed by then is there again.
        source: number of the cluster whose backups it comes out of; 1 is the one that began empty.
    """

    moment: datetime
    source: int

    def __str__(self) -> str:
        return f"{self.moment.astimezone(UTC).isoformat()}@{self.source}"


def parse_moment(text: str) -> datetime:
    """Read a moment, such as `2030-01-02 03:04:05+00`.

    Raises:
        ValueError: it is none, or does not say its time zone; the message says how to write it.
    """
    moment: datetime | None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"{text!r} is no moment with a time zone: write it as 2030-01-02 03:04:05+00")
    return moment


def parse_restores(text: str) -> tuple[Restore, ...]:
    """Read the list.

    Raises:
        ValueError: an entry cannot be read, or names a cluster that is not there before it.
    """
    found: list[Restore] = []
    for number, entry in enumerate(filter(None, text.split(",")), start=1):
        moment, _, source = entry.rpartition("@")
        if not re.fullmatch(r"[1-9][0-9]*", source) or int(source) > number:
            raise ValueError(f"{entry!r} does not end in the number of an earlier cluster, as @{number} would")
        found.append(Restore(parse_moment(moment), int(source)))
    return tuple(found)


def write_restores(restores: Sequence[Restore]) -> str:
    """Write the list as `parse_restores` reads it."""
    return ",".join(map(str, restores))


def archive_of(generation: Generation, restores: Sequence[Restore]) -> str:
    """The folder of a cluster's backups: its name and, of one that was restored, the moment.

    A restore that is undone leaves its folder behind, and the next cluster of that number must not write there.
    """
    if generation.number == 1:
        return generation.cluster
    return f"{generation.cluster}-{restores[generation.number - 2].moment.astimezone(UTC):%Y%m%dT%H%M%S}"
