"""Settings by which a command finds out what the application says of itself."""

import pytest

from app.bootstrap.container import sample_settings
from app.bootstrap.shares import shares


def test_no_variable_of_a_release_goes_into_them(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = sample_settings()
    for name, value in {
        "APP_DATABASE_REPLICA_HOST": "pooler-ro",
        "APP_EVENTS_HOST": "rabbitmq",
        "APP_BROKER_VIRTUAL_HOST": "tasks",
        "APP_JOBS": "celery",
        "APP_DATABASE_INHERITS": "true",
        "APP_SECRET_KEYS_ACCEPTED": "short",
    }.items():
        monkeypatch.setenv(name, value)
    assert sample_settings() == expected
    assert shares()["tasks"].own
