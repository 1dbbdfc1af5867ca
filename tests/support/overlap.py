"""The end of the time for which a used refresh token works again."""

from datetime import timedelta

from sqlalchemy import update

from app.platform.clock import utc_now
from app.storage.engine import Database
from app.storage.models.auth import RefreshTokenRow
from app.storage.rows import changed


def end_overlap(database: Database) -> int:
    """Let all used refresh tokens have been used a minute ago; return how many there are."""
    used = update(RefreshTokenRow).where(RefreshTokenRow.used_at.is_not(None))
    with database.writer.begin() as connection:
        return changed(connection.execute(used.values(used_at=utc_now() - timedelta(minutes=1))))
