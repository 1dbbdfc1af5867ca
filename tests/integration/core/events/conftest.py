"""Fixtures: a RabbitMQ server, and settings to use it."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from app.core.settings import Settings
from tests.support.rabbitmq import RabbitMq
from tests.support.rabbitmq import rabbitmq as start
from tests.support.settings import make_settings


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitMq]:
    """A RabbitMQ server."""
    with start() as server:
        yield server


@pytest.fixture
def rabbitmq(rabbitmq_server: RabbitMq) -> RabbitMq:
    """The RabbitMQ server, with a virtual host of the test's own."""
    rabbitmq_server.use_new_vhost()
    return rabbitmq_server


@pytest.fixture
def broker_settings(rabbitmq: RabbitMq) -> Settings:
    """Settings of a process that uses the RabbitMQ server."""
    return make_settings("sqlite:///:memory:", events_url=SecretStr(rabbitmq.url))
