"""The end of the time for which a used refresh token works again."""

from datetime import timedelta

from sqlalchemy import update

from app.auth.tables import RefreshTokenRow
from app.core.clock import utc_now
from app.core.database.engine import Database
from app.core.database.row_count import changed


def end_overlap(database: Database) -> int:
    """Let all used refresh tokens have been used a minute ago; return how many there are."""
    used = update(RefreshTokenRow).where(RefreshTokenRow.used_at.is_not(None))
    with database.writer.begin() as connection:
        return changed(connection.execute(used.values(used_at=utc_now() - timedelta(minutes=1))))
