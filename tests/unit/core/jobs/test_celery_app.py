"""URL of the broker."""

from typing import Any

import pytest

from app.core.jobs.celery_app import broker_url
from tests.support.settings import make_settings


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"broker_url": "redis://broker:6379/3"}, "redis://broker:6379/3"),
        ({"redis_url": "rediss://:word@cache:6379/0"}, "rediss://:word@cache:6379/1"),
        ({"redis_host": "cache", "redis_password": "a/b"}, "redis://:a%2Fb@cache:6379/1"),
        ({"redis_host": "cache", "broker_host": "broker", "broker_port": 6380}, "redis://broker:6380/0"),
        (
            {"broker_host": "broker", "broker_user": "tasks", "broker_password": "word"},
            "redis://tasks:word@broker:6379/0",
        ),
    ],
)
def test_the_broker_is_database_1_of_the_cache_unless_it_is_given(given: dict[str, Any], url: str) -> None:
    assert broker_url(make_settings("sqlite:///:memory:", **given)) == url
