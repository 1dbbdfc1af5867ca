"""An application that sends mails, and somebody who gets them."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from tests.support.api import Person
from tests.support.settings import make_settings
from tests.support.smtp import Inbox
from tests.support.verification import verified


@pytest.fixture
def further_settings() -> dict[str, Any]:
    """Settings of `mailing` beside those of mail."""
    return {}


@pytest.fixture
def mailing(database_url: str, inbox: Inbox, further_settings: dict[str, Any]) -> Iterator[Container]:
    """Container of an application that sends mails."""
    mail = {"smtp_host": "127.0.0.1", "smtp_port": inbox.port, "smtp_tls": "none", "mail_from": "noreply@example.org"}
    parts = build(make_settings(database_url, **mail, **further_settings, public_url="https://tasks.example.org"))
    yield parts
    parts.database.dispose()


@pytest.fixture
def grace(mailing: Container, inbox: Inbox) -> Person:
    """Somebody whose address is verified."""
    return verified(mailing, Person(create_app(mailing).test_client()).register(), inbox)
