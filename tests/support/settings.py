"""Settings for tests: cheap hashes, a fixed key."""

from typing import Any

from pydantic import SecretStr

from app.core.settings import Settings
from tests.support.server import SECRET


def make_settings(database_url: str, **more: Any) -> Settings:
    """Return settings for a database, with the overrides of a test."""
    return Settings(
        **{
            "database_url": SecretStr(database_url),
            "secret_key": SecretStr(SECRET),
            "password_memory_kib": 8,
            "jwks_url": "http://127.0.0.1:9/jwks.json",  # of a process without the auth service
            **more,
        }
    )
