"""Fixtures on PostgreSQL: a database of its own for each test."""

from collections.abc import Iterator

import pytest

from app.core.database.engine import Database, connect
from tests.support.settings import make_settings


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = connect(make_settings(database_url))
    yield opened
    opened.dispose()
