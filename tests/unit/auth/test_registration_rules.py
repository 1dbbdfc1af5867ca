"""Registration on fakes: the same work for a known address."""

import pytest

from app.auth import email_verification, registration
from app.auth.registration import RegistrationService
from app.core.errors import ConflictError
from tests.support.fake_accounts import FakePasswords
from tests.support.fakes import Counter, FakeClock, FakeStorage

EMAIL, PASSWORD = "somebody@example.com", "correct horse"


class CountingPasswords(FakePasswords):
    hashed = 0

    def hash(self, password: str) -> str:
        self.hashed += 1
        return super().hash(password)


@pytest.mark.parametrize("known", [False, True])
def test_each_registration_makes_one_hash_and_one_mail(known: bool) -> None:
    storage, passwords = FakeStorage(), CountingPasswords()
    service = RegistrationService(storage, passwords, "https://x", True, FakeClock(), Counter())
    if known:
        service.register(EMAIL, PASSWORD, "Somebody")
        passwords.hashed = 0
        storage.mails.queued.clear()
    user = service.register(EMAIL.upper(), "another", "Mallory")
    assert passwords.hashed == 1
    assert [kind for kind, _ in storage.mails.queued] == [registration.MAIL if known else email_verification.MAIL]
    assert len(storage.outbox.events) == 1
    [account] = storage.users.rows.values()
    assert (account.id == user.id) is not known
    assert account.name == ("Somebody" if known else "Mallory")


def test_a_known_address_is_a_conflict_where_no_mail_is_sent() -> None:
    storage = FakeStorage()
    service = RegistrationService(storage, FakePasswords(), "", False, FakeClock(), Counter())
    service.register(EMAIL, PASSWORD, "Somebody")
    with pytest.raises(ConflictError):
        service.register(EMAIL, PASSWORD, "Mallory")
    assert storage.mails.queued == []
