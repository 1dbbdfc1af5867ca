"""End of the overlap in which a used refresh token works again."""

from datetime import timedelta

from sqlalchemy import update

from app.auth.tables import RefreshTokenRow
from app.core.clock import utc_now
from app.core.database.engine import Database
from app.core.database.row_count import changed


def end_overlap(database: Database) -> int:
    """Backdate the use of all used refresh tokens by a minute; return their number."""
    used = update(RefreshTokenRow).where(RefreshTokenRow.used_at.is_not(None))
    with database.writer.begin() as connection:
        return changed(connection.execute(used.values(used_at=utc_now() - timedelta(minutes=1))))
