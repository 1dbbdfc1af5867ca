"""Fixtures: settings of a process that uses RabbitMQ."""

import pytest
from pydantic import SecretStr

from app.core.settings import Settings
from tests.support.rabbitmq import RabbitMq
from tests.support.settings import make_settings


@pytest.fixture
def broker_settings(rabbitmq: RabbitMq) -> Settings:
    """Settings of a process that uses the RabbitMQ server."""
    return make_settings("sqlite:///:memory:", events_url=SecretStr(rabbitmq.url))
