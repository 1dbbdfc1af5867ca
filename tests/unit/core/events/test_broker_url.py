"""URL of the broker of events."""

from pathlib import Path
from typing import Any

import pytest

from app.core.events.rabbitmq import broker_url
from tests.support.settings import make_settings

PARTS = {"events_host": "broker", "events_user": "tasks", "events_password": "a/b@c"}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"events_url": "amqps://tasks:word@broker/vhost"}, "amqps://tasks:word@broker/vhost"),
        ({"events_host": "broker"}, "amqp://broker:5672//"),
        (PARTS, "amqp://tasks:a%2Fb%40c@broker:5672//"),
        ({**PARTS, "events_port": 5671, "events_ca_file": Path(__file__)}, "amqps://tasks:a%2Fb%40c@broker:5671//"),
    ],
)
def test_the_url_is_given_or_made_of_its_parts(given: dict[str, Any], url: str) -> None:
    settings = make_settings("sqlite:///:memory:", **given)
    assert settings.events_by_broker
    assert broker_url(settings) == url


def test_without_any_of_them_events_stay_in_the_process() -> None:
    assert not make_settings("sqlite:///:memory:").events_by_broker
