"""Rules of accounts and sessions, on fakes."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.auth.model import TokenPair
from app.auth.registration import RegistrationService
from app.auth.service import AuthService, Lifetimes
from app.auth.sessions import SessionService
from app.core.errors import ConflictError, InvalidError, UnauthenticatedError, UnavailableError
from tests.support.fake_accounts import FakeDenylist, FakePasswords, FakeTokens
from tests.support.fakes import Counter, FakeClock, FakeStorage

EMAIL, PASSWORD = "somebody@example.com", "correct horse"
OVERLAP = timedelta(seconds=10)


class Scene:
    """The service and its dependencies."""

    def __init__(self, overlap: timedelta = OVERLAP, mail_enabled: bool = False) -> None:
        self.storage = FakeStorage()
        self.passwords = FakePasswords()
        self.denylist = FakeDenylist()
        self.clock = FakeClock()
        new_id = Counter()
        lifetimes = Lifetimes(access=timedelta(minutes=15), refresh=timedelta(days=30), overlap=overlap)
        self.service = AuthService(
            self.storage,
            self.passwords,
            FakeTokens(),
            SessionService(self.storage, self.denylist, self.clock),
            lifetimes,
            self.clock,
            new_id,
        )
        self.registration = RegistrationService(self.storage, self.passwords, "", mail_enabled, self.clock, new_id)

    def session_of(self, pair: TokenPair) -> UUID:
        return UUID(pair.access_token.split("/")[1])


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.registration.register(EMAIL, PASSWORD, "Somebody")
    return scene


def test_no_password_is_stored(scene: Scene) -> None:
    [user] = scene.storage.users.rows.values()
    assert user.password_hash != PASSWORD


def test_addresses_that_differ_in_case_are_one(scene: Scene) -> None:
    with pytest.raises(ConflictError):
        scene.registration.register(EMAIL.upper(), PASSWORD, "Second")
    assert scene.service.login(f" {EMAIL.title()}", PASSWORD)


def test_an_unknown_address_costs_as_much_work_as_a_wrong_password(scene: Scene) -> None:
    for email, password in ((EMAIL, "wrong"), ("unknown@example.com", PASSWORD)):
        before = scene.passwords.verified
        with pytest.raises(UnauthenticatedError):
            scene.service.login(email, password)
        assert scene.passwords.verified == before + 1


def test_a_login_renews_a_hash_of_an_older_scheme(scene: Scene) -> None:
    scene.passwords.scheme = "v2"
    scene.service.login(EMAIL, PASSWORD)
    [user] = scene.storage.users.rows.values()
    assert user.password_hash.startswith("v2:")
    assert scene.service.login(EMAIL, PASSWORD)


@pytest.mark.parametrize("scheme", ["v1", "v2"])
def test_a_login_with_a_password_replaced_meanwhile_is_rejected(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """The change happens between password check and session; rehashing must not restore the former password."""
    mine = scene.service.login(EMAIL, PASSWORD)
    [user] = scene.storage.users.rows.values()
    verify = scene.passwords.verify

    def verify_then_change(password_hash: str | None, password: str) -> bool:
        fits = verify(password_hash, password)
        monkeypatch.setattr(scene.passwords, "verify", verify)
        scene.service.change_password(user.id, scene.session_of(mine), PASSWORD, "another password")
        return fits

    monkeypatch.setattr(scene.passwords, "verify", verify_then_change)
    scene.passwords.scheme = scheme
    with pytest.raises(UnauthenticatedError):
        scene.service.login(EMAIL, PASSWORD)
    assert [session.id for session in scene.storage.sessions.rows.values()] == [scene.session_of(mine)]
    assert scene.service.login(EMAIL, "another password")


@pytest.mark.parametrize("change", ["another password", "lock"])
def test_a_change_with_a_password_replaced_meanwhile_is_rejected(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The owner's reset happens between check of the current and write of the new password."""
    thief = scene.service.login(EMAIL, PASSWORD)
    [user] = scene.storage.users.rows.values()
    verify = scene.passwords.verify

    def verify_then_change(password_hash: str | None, password: str) -> bool:
        fits = verify(password_hash, password)
        monkeypatch.setattr(scene.passwords, "verify", verify)
        if change == "lock":
            scene.storage.users.set_disabled(user.id, scene.clock())
        else:
            scene.storage.users.set_password_hash(user.id, scene.passwords.hash(change))
        return fits

    monkeypatch.setattr(scene.passwords, "verify", verify_then_change)
    before = scene.passwords.verified
    with pytest.raises((InvalidError, UnauthenticatedError)):
        scene.service.change_password(user.id, scene.session_of(thief), PASSWORD, "the thief's password")
    [user] = scene.storage.users.rows.values()
    assert user.password_hash == scene.passwords.hash(PASSWORD if change == "lock" else change)
    assert scene.passwords.verified - before == (1 if change == "lock" else 2)


def test_a_change_of_a_password_rehashed_meanwhile_succeeds(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = scene.service.login(EMAIL, PASSWORD)
    [user] = scene.storage.users.rows.values()
    hashes = scene.passwords.hash

    def renew(password: str) -> str:
        monkeypatch.setattr(scene.passwords, "hash", hashes)
        scene.passwords.scheme = "v2"
        scene.storage.users.set_password_hash(user.id, hashes(PASSWORD))
        return hashes(password)

    monkeypatch.setattr(scene.passwords, "hash", renew)
    scene.service.change_password(user.id, scene.session_of(mine), PASSWORD, "another password")
    assert scene.service.login(EMAIL, "another password")


def test_each_login_is_a_session_of_its_own(scene: Scene) -> None:
    first, second = scene.service.login(EMAIL, PASSWORD), scene.service.login(EMAIL, PASSWORD)
    assert scene.session_of(first) != scene.session_of(second)


def test_no_refresh_token_is_stored_as_it_is(scene: Scene) -> None:
    pair = scene.service.login(EMAIL, PASSWORD)
    [stored] = scene.storage.sessions.tokens.values()
    assert stored.secret_hash.hex() not in pair.refresh_token


def test_refreshing_keeps_the_session(scene: Scene) -> None:
    first = scene.service.login(EMAIL, PASSWORD)
    second = scene.service.refresh(first.refresh_token)
    assert scene.session_of(first) == scene.session_of(second)
    assert second.refresh_token != first.refresh_token


@pytest.mark.parametrize("seconds", [0, 9.9])
def test_within_the_overlap_a_used_refresh_token_gives_another_pair_of_its_session(
    scene: Scene, seconds: float
) -> None:
    first = scene.service.login(EMAIL, PASSWORD)
    second = scene.service.refresh(first.refresh_token)
    scene.clock.advance(seconds=seconds)
    third = scene.service.refresh(first.refresh_token)
    assert second.refresh_token != third.refresh_token
    assert scene.session_of(first) == scene.session_of(third)
    assert not scene.denylist.entries
    for sibling in (second, third):
        assert scene.service.refresh(sibling.refresh_token)


def test_the_overlap_begins_with_the_first_use_whatever_came_after(scene: Scene) -> None:
    first = scene.service.login(EMAIL, PASSWORD)
    scene.service.refresh(first.refresh_token)
    scene.clock.advance(seconds=9)
    sibling = scene.service.refresh(first.refresh_token)
    scene.clock.advance(seconds=1)
    with pytest.raises(UnauthenticatedError):
        scene.service.refresh(first.refresh_token)
    with pytest.raises(UnauthenticatedError):
        scene.service.refresh(sibling.refresh_token)


@pytest.mark.parametrize("behind", [0, 2])
def test_without_an_overlap_a_second_use_ends_the_session_also_by_a_clock_that_is_behind(behind: float) -> None:
    scene = Scene(overlap=timedelta())
    scene.registration.register(EMAIL, PASSWORD, "Somebody")
    first = scene.service.login(EMAIL, PASSWORD)
    scene.service.refresh(first.refresh_token)
    scene.clock.advance(seconds=-behind)
    with pytest.raises(UnauthenticatedError):
        scene.service.refresh(first.refresh_token)


def test_by_a_clock_that_is_behind_the_overlap_still_holds(scene: Scene) -> None:
    first = scene.service.login(EMAIL, PASSWORD)
    scene.service.refresh(first.refresh_token)
    scene.clock.advance(seconds=-2)
    assert scene.service.refresh(first.refresh_token)


def test_reuse_of_a_refresh_token_after_the_overlap_ends_its_session_and_no_other(scene: Scene) -> None:
    other = scene.service.login(EMAIL, PASSWORD)
    first = scene.service.login(EMAIL, PASSWORD)
    second = scene.service.refresh(first.refresh_token)
    scene.clock.advance(seconds=10)
    with pytest.raises(UnauthenticatedError):
        scene.service.refresh(first.refresh_token)
    assert scene.denylist.entries == {scene.session_of(first)}
    with pytest.raises(UnauthenticatedError):
        scene.service.refresh(second.refresh_token)
    assert scene.service.refresh(other.refresh_token)


def test_a_reuse_that_the_denylist_could_not_take_is_denied_the_next_time(scene: Scene) -> None:
    first = scene.service.login(EMAIL, PASSWORD)
    scene.service.refresh(first.refresh_token)
    scene.clock.advance(seconds=10)
    scene.denylist.away = True
    with pytest.raises(UnavailableError):
        scene.service.refresh(first.refresh_token)
    scene.denylist.away = False
    with pytest.raises(UnauthenticatedError):
        scene.service.refresh(first.refresh_token)
    assert scene.denylist.entries == {scene.session_of(first)}


def test_a_refresh_token_expires(scene: Scene) -> None:
    pair = scene.service.login(EMAIL, PASSWORD)
    scene.clock.advance(days=30)
    with pytest.raises(UnauthenticatedError):
        scene.service.refresh(pair.refresh_token)


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: token[:-2] + "00", lambda _: "x.y"])
def test_a_changed_refresh_token_is_rejected_and_ends_nothing(scene: Scene, change: object) -> None:
    assert callable(change)
    pair = scene.service.login(EMAIL, PASSWORD)
    while pair.refresh_token.endswith("00"):
        pair = scene.service.login(EMAIL, PASSWORD)
    with pytest.raises(UnauthenticatedError):
        scene.service.refresh(change(pair.refresh_token))
    assert scene.service.refresh(pair.refresh_token)


def test_a_logout_that_the_denylist_can_not_take_changes_nothing(scene: Scene) -> None:
    pair = scene.service.login(EMAIL, PASSWORD)
    [user] = scene.storage.users.rows.values()
    scene.denylist.away = True
    with pytest.raises(UnavailableError):
        scene.service.logout(user.id, scene.session_of(pair))
    assert scene.service.refresh(pair.refresh_token)


def test_a_deleted_account_is_unauthenticated(scene: Scene) -> None:
    with pytest.raises(UnauthenticatedError):
        scene.service.user(UUID(int=999))
