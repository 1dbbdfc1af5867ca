"""Fence in the former database: refuses the writes of a service while it moves, and after it has moved.

Triggers on the service's rows take a shared advisory lock, which lasts until the writer's transaction ends. `switch`
takes the lock exclusively: that waits for writers that have begun, and refuses others at once. The lock ends with its
session, so that a command that is killed refuses nobody.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from app.core.database.errors import MOVED, MOVING
from app.core.database_split.share import Rows, ServiceShare, TableShare

MOVED_SERVICES = "moved_services"
"""Table of the services that have moved, with the address of their servers."""

FUNCTION = "fence_moved_service"
TRIGGER = "moves_"
"""Prefix of the triggers."""

LOCK_CLASS = 0x6D6F7665
"""First key of the advisory locks ("move" in ASCII)."""

CREATE_TABLE = f"""
CREATE TABLE IF NOT EXISTS {MOVED_SERVICES}
    (service text PRIMARY KEY, address text NOT NULL, rows bigint NOT NULL, at timestamptz NOT NULL DEFAULT now())
"""

# A deletion in a table of all services is allowed after the move: what is left there serves nobody, and expires.
CREATE_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock_shared({LOCK_CLASS}, hashtext(TG_ARGV[0])) THEN
        RAISE EXCEPTION '% is moving to a database of its own', TG_ARGV[0] USING ERRCODE = '{MOVING}';
    END IF;
    IF (TG_ARGV[1] = 'own' OR TG_ARGV[1] = 'share' AND TG_OP <> 'DELETE')
        AND EXISTS (SELECT FROM {MOVED_SERVICES} WHERE service = TG_ARGV[0])
    THEN
        RAISE EXCEPTION '% has moved to a database of its own', TG_ARGV[0] USING ERRCODE = '{MOVED}';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$
"""

CLAIMS = ".claims"
"""Suffix of the name of a service's second lock, held while its running jobs with side effects end: none is begun."""


def acquire(connection: Connection, service: str) -> None:
    """Refuse the writes of a service until the transaction ends. Waits for writers, for `lock_timeout` at most."""
    key = {"class": LOCK_CLASS, "service": service}
    connection.execute(text("SELECT pg_advisory_xact_lock(:class, hashtext(:service))"), key)


def triggers(share: ServiceShare, table: TableShare) -> Iterator[tuple[str, str]]:
    """Yield the triggers of a service on a table: name, and the rest of the statement that creates it."""
    for part in table.rows:
        function = f"EXECUTE FUNCTION {FUNCTION}('{share.service}', '{part.ownership}')"
        for events, condition in _events(part):
            name = f"{TRIGGER}{share.service}_{part.ownership}_{events.split()[0].lower()}"
            level = f"FOR EACH ROW WHEN ({condition})" if condition else "FOR EACH STATEMENT"
            yield name, f"BEFORE {events} ON {table.name} {level} {function}"
    if table.name == "jobs" and share.side_effects:
        of_service = Rows("copied", "kind", share.side_effects).condition("NEW.")
        claims = f"{of_service} AND NEW.lease IS DISTINCT FROM OLD.lease AND NEW.lease IS NOT NULL"
        function = f"EXECUTE FUNCTION {FUNCTION}('{share.service}{CLAIMS}', 'copied')"
        yield (
            f"{TRIGGER}{share.service}_claims",
            f"BEFORE UPDATE ON {table.name} FOR EACH ROW WHEN ({claims}) {function}",
        )


def _events(part: Rows) -> Iterator[tuple[str, str | None]]:
    if part.column is None:
        yield "INSERT OR UPDATE OR DELETE OR TRUNCATE", None
    else:
        yield "INSERT OR UPDATE", part.condition("NEW.")
        yield "DELETE", part.condition("OLD.")


def moved_rows(connection: Connection, service: str) -> int | None:
    """Return how many rows of a service have moved; None if it has not. The connection is to the former database."""
    if not connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": MOVED_SERVICES}):
        return None
    found = text(f"SELECT rows FROM {MOVED_SERVICES} WHERE service = :service")
    rows: int | None = connection.scalar(found, {"service": service})
    return rows


def mark_moved(connection: Connection, service: str, address: str, rows: int) -> None:
    """Refuse the writes of a service for good, once the transaction is committed."""
    statement = text(f"INSERT INTO {MOVED_SERVICES} (service, address, rows) VALUES (:service, :address, :rows)")
    connection.execute(statement, {"service": service, "address": address, "rows": rows})
