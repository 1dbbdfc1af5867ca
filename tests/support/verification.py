"""Verification of addresses by the mailed link."""

import re

from werkzeug.test import TestResponse

from app.bootstrap.container import Container
from tests.support.api import V1, Person
from tests.support.notifications import carry
from tests.support.smtp import Inbox


def verification_token(inbox: Inbox, email: str) -> str:
    """Return the token of the newest verification mail to an address."""
    texts = [mail.get_content() for mail in inbox.mails if mail["To"] == email]
    tokens = [token for text in texts for token in re.findall(r"/#/verify\?token=([\w.-]+)\r?$", text, re.MULTILINE)]
    assert tokens, f"no verification mail to {email}"
    return str(tokens[-1])


def confirm(person: Person, token: str) -> TestResponse:
    return person.client.post(f"{V1}/auth/verification/confirm", json={"token": token})


def verified(container: Container, person: Person, inbox: Inbox) -> Person:
    """Verify the address of a registered user; empties the inbox."""
    carry(container)
    assert confirm(person, verification_token(inbox, person.email)).status_code == 204
    carry(container)
    inbox.mails.clear()
    return person
