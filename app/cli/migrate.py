"""`migrate`: migrate the database to the schema of this version."""

from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from app.bootstrap.services import ALL, SERVICES, chosen
from app.cli import fail
from app.core.errors import MovedError
from app.core.settings import Settings, SettingsError, load_settings


def migrate(service: str = ALL) -> int:
    """Migrate the database of the environment's settings.

    Args:
        service: the service whose branch of the schema is migrated, besides the core's; `all` for a shared database.
    """
    try:
        settings = load_settings()
    except SettingsError as error:
        return fail(str(error), 2)
    return run(settings, chosen(service))


def run(settings: Settings, services: Sequence[str] = SERVICES) -> int:
    """Migrate the database of the given settings; print an error in one line."""
    from app.bootstrap.schema import migrate as to_heads
    from app.core.database.engine import connect

    database = connect(settings)
    try:
        to_heads(database, services)
    except MovedError as error:
        return fail(f"the database could not be migrated: {error}")
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return fail(f"the database could not be migrated: {reason}")
    finally:
        database.dispose()
    return 0
