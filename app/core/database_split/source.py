"""Settings of the former database, from variables that begin with APP_FORMER_DATABASE_."""

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.settings import Settings, SettingsError

PREFIX = "APP_FORMER_DATABASE_"


class FormerDatabase(BaseSettings):
    """Address of the database that the services have shared, and the role that replicates from it."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    url: SecretStr | None = None
    host: str | None = None
    port: int = Field(default=5432, ge=1, le=65535)
    name: str = "tasks"
    user: str = "tasks"
    password: SecretStr | None = None


def former_settings(settings: Settings) -> Settings:
    """Return the settings with the former database in the place of the service's own.

    Raises:
        SettingsError: it is not given.
    """
    try:
        former = FormerDatabase()
    except ValidationError as error:
        [first, *_] = error.errors()
        raise SettingsError(f"{PREFIX}{str(first['loc'][0]).upper()}: {first['msg']}") from error
    if former.url is None and former.host is None:
        raise SettingsError(f"{PREFIX}HOST: missing (or give {PREFIX}URL)")
    given = {f"database_{name}": value for name, value in former}
    return settings.model_copy(update=given)
