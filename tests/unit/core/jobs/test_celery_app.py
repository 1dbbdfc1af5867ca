"""URL of the broker."""

from pathlib import Path
from ssl import CERT_REQUIRED
from typing import Any

import pytest

from app.core.jobs.celery_app import broker_url, celery_transport
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
        (
            {
                "redis_host": "cache",
                "events_host": "rabbitmq",
                "events_port": 5671,
                "events_user": "tasks",
                "events_password": "a/b",
                "events_ca_file": Path(__file__),
                "broker_virtual_host": "tasks",
            },
            "amqps://tasks:a%2Fb@rabbitmq:5671/tasks",
        ),
        ({"events_url": "amqp://rabbitmq/events", "broker_virtual_host": "a/b"}, "amqp://rabbitmq/a%2Fb"),
        ({"events_url": "amqp://rabbitmq/events", "redis_host": "cache"}, "redis://cache:6379/1"),
    ],
)
def test_the_broker_is_database_1_of_the_cache_unless_it_is_given(given: dict[str, Any], url: str) -> None:
    settings = make_settings("sqlite:///:memory:", **given)
    assert broker_url(settings) == url
    assert settings.has_broker


def test_jobs_verify_the_certificate_of_the_broker_that_carries_events() -> None:
    given = {"events_host": "rabbitmq", "events_ca_file": Path(__file__), "broker_virtual_host": "tasks"}
    celery = celery_transport(make_settings("sqlite:///:memory:", **given), print).celery
    assert celery.conf.broker_use_ssl == {
        "cert_reqs": CERT_REQUIRED,
        "server_hostname": "rabbitmq",
        "ca_certs": __file__,
    }


@pytest.mark.parametrize("given", [{}, {"events_host": "rabbitmq"}])
def test_without_a_virtual_host_rabbitmq_is_no_broker_of_jobs(given: dict[str, Any]) -> None:
    assert not make_settings("sqlite:///:memory:", **given).has_broker
