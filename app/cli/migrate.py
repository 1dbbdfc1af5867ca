"""`migrate`: bring the database to the schema of this version."""

from sqlalchemy.exc import SQLAlchemyError

from app.cli import fail
from app.core.errors import MovedError
from app.core.settings import Settings, SettingsError, load_settings


def migrate() -> int:
    try:
        settings = load_settings()
    except SettingsError as error:
        return fail(str(error), 2)
    return run(settings)


def run(settings: Settings) -> int:
    """Migrate the database of some settings; say so in one line, whichever way it goes."""
    from app.core.database.engine import connect
    from app.core.database.migrate import migrate as to_head

    database = connect(settings)
    try:
        to_head(database)
    except MovedError as error:
        return fail(f"the database could not be migrated: {error}")
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return fail(f"the database could not be migrated: {reason}")
    finally:
        database.dispose()
    return 0
