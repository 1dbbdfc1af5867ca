"""State of a service's subscription: whether the copy is there, and how far the changes have come."""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from app.core.database_split.errors import SplitError
from app.core.database_split.share import ServiceShare

NEAR = 4 << 20
"""Bytes of log behind which a subscription counts as caught up: a fraction of a second of changes."""

POLL = 0.2
"""Seconds between two looks."""


@dataclass(frozen=True)
class Progress:
    """Progress of a subscription.

    Args:
        tables: tables that it has.
        copied: those of them whose copy is there, and which follow the changes.
        behind: bytes of log that it has not confirmed; None if the slot does not exist.
    """

    tables: int
    copied: int
    behind: int | None

    def caught_up(self, share: ServiceShare) -> bool:
        """Return whether all tables follow, closely."""
        complete = self.tables == self.copied == len(share.tables)
        return complete and self.behind is not None and self.behind <= NEAR


def exists(target: Connection, share: ServiceShare) -> bool:
    """Return whether the service's database has the subscription."""
    return bool(target.scalar(_EXISTS, {"slot": share.name}))


def progress(source: Engine, target: Engine, share: ServiceShare) -> Progress:
    """Return how far a subscription is."""
    with target.connect() as connection:
        tables, copied = connection.execute(_TABLES, {"slot": share.name}).one()
    with source.connect() as connection:
        behind = connection.scalar(_BEHIND, {"slot": share.name})
    return Progress(tables, copied, None if behind is None else int(behind))


def wait(source: Engine, target: Engine, share: ServiceShare, patience: float) -> Progress:
    """Wait until the copy is there and the changes since have almost all arrived.

    Args:
        source, target: the former database, and the service's own.
        share: what is copied.
        patience: seconds to wait.

    Raises:
        SplitError: it takes longer; the message says how far it is.
    """
    end = time.monotonic() + patience
    while not (state := progress(source, target, share)).caught_up(share):
        if time.monotonic() > end:
            raise SplitError(f"the copy is not complete after {patience:.0f} s: {_described(state, share)}")
        time.sleep(POLL)
    return state


def _described(state: Progress, share: ServiceShare) -> str:
    if state.behind is None:
        return f"there is no replication slot {share.name} (the step `prepare` makes it)"
    if not state.tables:
        return f"there is no subscription {share.name}"
    return f"{state.copied} of {len(share.tables)} tables are there, {state.behind >> 20} MiB of changes are missing"


_EXISTS = text(
    "SELECT EXISTS (SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
    " WHERE d.datname = current_database() AND s.subslotname = :slot)"
)
_TABLES = text(
    "SELECT count(*), count(*) FILTER (WHERE r.srsubstate = 'r') FROM pg_subscription_rel r"
    " JOIN pg_subscription s ON s.oid = r.srsubid JOIN pg_database d ON d.oid = s.subdbid"
    " WHERE d.datname = current_database() AND s.subslotname = :slot"
)
_BEHIND = text(
    "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) FROM pg_replication_slots"
    " WHERE slot_name = :slot"
)
