"""Rules of accounts and sessions, on fakes."""

from datetime import timedelta
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from app.auth.model import PasswordReset, Session, TokenPair, User
from app.auth.registration import RegistrationService
from app.auth.service import AuthService, Lifetimes
from app.auth.sessions import SessionService
from app.core.errors import ConflictError, InvalidError, UnauthenticatedError, UnavailableError
from app.core.events.model import SESSION_ENDED, Event
from app.core.security.roles import Role
from tests.support.fake_accounts import FakeDenylist, FakePasswords, FakeTokens
from tests.support.fakes import Counter, FakeClock, FakeStorage

EMAIL, PASSWORD = "somebody@example.com", "correct horse"
OVERLAP = timedelta(seconds=10)
LOGIN_REFUSED = r"^The e-mail address or the password is wrong\.$"
REFRESH_REFUSED = r"^The refresh token is not valid\. Log in again\.$"
GONE = r"^The account no longer exists\.$"


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
            SessionService(self.storage, self.denylist, lifetimes.access, self.clock, new_id),
            lifetimes,
            self.clock,
            new_id,
        )
        self.registration = RegistrationService(self.storage, self.passwords, "", mail_enabled, self.clock, new_id)

    @property
    def user(self) -> User:
        """The only account."""
        [user] = self.storage.users.rows.values()
        return user

    def ended(self) -> set[UUID]:
        """Return the sessions that are revoked and denied, and whose end is published once."""
        revoked = {session.id for session in self.storage.sessions.rows.values() if session.revoked_at}
        assert revoked == self.denylist.entries
        assert sorted(revoked) == sorted(UUID(str(event.payload["session_id"])) for event in self.published())
        return revoked

    def published(self) -> list[Event]:
        return [event for event in self.storage.outbox.events if event.name == SESSION_ENDED]

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


def test_a_login_opens_a_session_with_a_pair_of_tokens(scene: Scene) -> None:
    pair = scene.service.login(EMAIL, PASSWORD)
    now = scene.clock.now
    [session] = scene.storage.sessions.rows.values()
    assert session == Session(session.id, scene.user.id, now, now)
    user_id, session_id, token_id, role, issued_at = pair.access_token.split("/")
    assert (user_id, session_id, role) == (str(scene.user.id), str(session.id), "user")
    assert (issued_at, pair.expires_in) == (now.isoformat(), 15 * 60)
    [token] = scene.storage.sessions.tokens.values()
    assert (token.session_id, token.expires_at) == (session.id, now + timedelta(days=30))
    assert len({session.id, token.id, UUID(token_id), scene.user.id}) == 4
    secrets = {scene.service.login(EMAIL, PASSWORD).refresh_token.partition(".")[2] for _ in range(2)}
    assert [len(secret) for secret in secrets] == [64, 64]


def test_every_refused_login_says_the_same_and_opens_nothing(scene: Scene) -> None:
    scene.storage.users.set_disabled(scene.user.id, scene.clock())
    refused = (EMAIL, PASSWORD), (EMAIL, "wrong"), ("unknown@example.com", PASSWORD)
    with capture_logs() as lines:
        for email, password in refused:
            with pytest.raises(UnauthenticatedError, match=LOGIN_REFUSED):
                scene.service.login(email, password)
    assert scene.storage.sessions.rows == {}
    assert [(line["event"], line["user_id"], line["locked"]) for line in lines] == [
        ("log-in refused", str(scene.user.id), True),
        ("log-in refused", str(scene.user.id), True),
        ("log-in refused", None, False),
    ]


def test_a_login_is_logged_with_its_session(scene: Scene) -> None:
    with capture_logs() as lines:
        pair = scene.service.login(EMAIL, PASSWORD)
    assert lines == [
        {
            "event": "logged in",
            "user_id": str(scene.user.id),
            "session_id": str(scene.session_of(pair)),
            "log_level": "info",
        }
    ]


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
    assert scene.service.refresh(mine.refresh_token)


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


def test_refreshing_notes_when_and_issues_by_the_role_of_now(scene: Scene) -> None:
    pair = scene.service.login(EMAIL, PASSWORD)
    scene.storage.users.set_role(scene.user.id, Role.ADMIN)
    scene.clock.advance(minutes=1)
    issued = scene.service.refresh(pair.refresh_token).access_token
    assert issued.startswith(f"{scene.user.id}/")
    assert issued.endswith(f"/admin/{scene.clock.now.isoformat()}")
    assert scene.storage.sessions.rows[scene.session_of(pair)].last_used_at == scene.clock.now


@pytest.mark.parametrize("what", ["deleted", "locked"])
def test_nobody_refreshes_for_an_account_that_is_deleted_or_locked(scene: Scene, what: str) -> None:
    pair = scene.service.login(EMAIL, PASSWORD)
    if what == "deleted":
        scene.storage.users.delete(scene.user.id)
    else:
        scene.storage.users.set_disabled(scene.user.id, scene.clock())
    with pytest.raises(UnauthenticatedError, match=REFRESH_REFUSED):
        scene.service.refresh(pair.refresh_token)
    assert scene.storage.sessions.used == {}


def test_a_refresh_token_whose_session_is_gone_is_refused(scene: Scene) -> None:
    pair = scene.service.login(EMAIL, PASSWORD)
    scene.storage.sessions.rows.clear()
    with pytest.raises(UnauthenticatedError, match=REFRESH_REFUSED):
        scene.service.refresh(pair.refresh_token)


def test_a_refresh_token_is_good_until_the_second_that_it_runs_out(scene: Scene) -> None:
    pair = scene.service.login(EMAIL, PASSWORD)
    scene.clock.advance(days=30, seconds=-1)
    assert scene.service.refresh(pair.refresh_token)


def test_what_becomes_of_a_used_refresh_token_is_logged(scene: Scene) -> None:
    pair = scene.service.login(EMAIL, PASSWORD)
    about = {"user_id": str(scene.user.id), "session_id": str(scene.session_of(pair))}
    scene.service.refresh(pair.refresh_token)
    with capture_logs() as lines:
        scene.service.refresh(pair.refresh_token)
        scene.clock.advance(seconds=10)
        for _ in range(2):
            with pytest.raises(UnauthenticatedError, match=REFRESH_REFUSED):
                scene.service.refresh(pair.refresh_token)
    assert lines == [
        {"event": "refresh token used again", **about, "log_level": "info"},
        {"event": "refresh refused", **about, "used_again": True, "log_level": "warning"},
        {"event": "refresh refused", **about, "used_again": False, "log_level": "warning"},
    ]


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
    assert scene.ended() == {scene.session_of(first)}
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
    assert len(scene.published()) == 1, "the other services need not wait for the denylist"
    scene.denylist.away = False
    with pytest.raises(UnauthenticatedError):
        scene.service.refresh(first.refresh_token)
    assert scene.ended() == {scene.session_of(first)}


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
    with pytest.raises(UnauthenticatedError, match=REFRESH_REFUSED):
        scene.service.refresh(change(pair.refresh_token))
    assert scene.service.refresh(pair.refresh_token)


def test_a_logout_that_the_denylist_can_not_take_changes_nothing(scene: Scene) -> None:
    pair = scene.service.login(EMAIL, PASSWORD)
    [user] = scene.storage.users.rows.values()
    scene.denylist.away = True
    with pytest.raises(UnavailableError):
        scene.service.logout(user.id, scene.session_of(pair))
    assert scene.published() == []
    assert scene.service.refresh(pair.refresh_token)


def test_the_end_of_a_session_is_published_with_the_end_of_its_last_token(scene: Scene) -> None:
    pair = scene.service.login(EMAIL, PASSWORD)
    scene.clock.advance(minutes=5)
    for _ in range(2):
        scene.service.logout(scene.user.id, scene.session_of(pair))
    [event] = scene.published()
    assert (event.user_id, event.at) == (scene.user.id, scene.clock.now)
    expired = (scene.clock.now + timedelta(minutes=15)).isoformat()
    assert event.payload == {"session_id": str(scene.session_of(pair)), "tokens_expire_at": expired}


def test_a_logout_ends_the_session_and_that_of_a_refresh_token_of_the_same_user(scene: Scene) -> None:
    mine, second, other = (scene.service.login(EMAIL, PASSWORD) for _ in range(3))
    scene.service.logout(scene.user.id, scene.session_of(mine))
    assert scene.ended() == {scene.session_of(mine)}
    scene.service.logout(scene.user.id, scene.session_of(mine), second.refresh_token)
    assert scene.ended() == {scene.session_of(mine), scene.session_of(second)}
    assert scene.service.refresh(other.refresh_token)


@pytest.mark.parametrize("whose", ["somebody else's", "nobody's"])
def test_a_logout_ends_no_session_by_a_refresh_token_that_is_not_the_users(scene: Scene, whose: str) -> None:
    user_id = scene.user.id
    mine = scene.service.login(EMAIL, PASSWORD)
    scene.registration.register("second@example.com", PASSWORD, "Second")
    theirs = scene.service.login("second@example.com", PASSWORD)
    token = theirs.refresh_token if whose == "somebody else's" else "no.token"
    scene.service.logout(user_id, scene.session_of(mine), token)
    assert scene.ended() == {scene.session_of(mine)}


def test_a_new_password_ends_every_other_session_and_voids_links_to_reset_it(scene: Scene) -> None:
    mine, other = (scene.service.login(EMAIL, PASSWORD) for _ in range(2))
    expires = scene.clock() + timedelta(hours=1)
    scene.storage.resets.add(PasswordReset(UUID(int=501), scene.user.id, expires))
    scene.clock.advance(minutes=1)
    with capture_logs() as lines:
        scene.service.change_password(scene.user.id, scene.session_of(mine), PASSWORD, "another password")
    assert scene.user.password_hash == scene.passwords.hash("another password")
    assert scene.ended() == {scene.session_of(other)}
    assert scene.storage.resets.rows[UUID(int=501)].used_at == scene.clock.now
    assert lines == [{"event": "password changed", "user_id": str(scene.user.id), "log_level": "info"}]


def test_a_login_while_the_password_is_being_changed_is_ended_too(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the old password, after the sessions were ended the first time."""
    mine = scene.service.login(EMAIL, PASSWORD)
    locked = scene.storage.users.locked
    between: list[TokenPair] = []

    def login_before(user_id: UUID) -> User | None:
        monkeypatch.setattr(scene.storage.users, "locked", locked)
        between.append(scene.service.login(EMAIL, PASSWORD))
        return locked(user_id)

    monkeypatch.setattr(scene.storage.users, "locked", login_before)
    scene.service.change_password(scene.user.id, scene.session_of(mine), PASSWORD, "another password")
    assert scene.ended() == {scene.session_of(pair) for pair in between} != set()


def test_while_the_denylist_is_away_the_password_stays(scene: Scene) -> None:
    mine, _ = (scene.service.login(EMAIL, PASSWORD) for _ in range(2))
    scene.denylist.away = True
    with pytest.raises(UnavailableError):
        scene.service.change_password(scene.user.id, scene.session_of(mine), PASSWORD, "another password")
    assert scene.user.password_hash == scene.passwords.hash(PASSWORD)


def test_a_change_by_a_wrong_password_is_refused_and_logged(scene: Scene) -> None:
    mine = scene.service.login(EMAIL, PASSWORD)
    with capture_logs() as lines, pytest.raises(InvalidError, match=r"^is not the current password$") as raised:
        scene.service.change_password(scene.user.id, scene.session_of(mine), "wrong", "another password")
    assert raised.value.field == "current_password"
    assert lines == [{"event": "change of password refused", "user_id": str(scene.user.id), "log_level": "warning"}]
    assert scene.user.password_hash == scene.passwords.hash(PASSWORD)


def test_the_password_of_a_locked_account_is_not_changed(scene: Scene) -> None:
    mine = scene.service.login(EMAIL, PASSWORD)
    scene.storage.users.set_disabled(scene.user.id, scene.clock())
    for user_id in (scene.user.id, UUID(int=999)):
        with pytest.raises(UnauthenticatedError, match=GONE):
            scene.service.change_password(user_id, scene.session_of(mine), PASSWORD, "another password")


def test_a_new_name_is_published(scene: Scene) -> None:
    scene.clock.advance(minutes=1)
    renamed = scene.service.rename(scene.user.id, "Anybody")
    assert (renamed, renamed.name) == (scene.user, "Anybody")
    event = scene.storage.outbox.events[-1]
    assert (event.name, event.user_id, event.at) == ("user.changed", scene.user.id, scene.clock.now)
    assert event.payload["name"] == "Anybody"
    assert isinstance(event.id, UUID)


def test_a_deleted_account_is_unauthenticated(scene: Scene) -> None:
    with pytest.raises(UnauthenticatedError, match=GONE):
        scene.service.user(UUID(int=999))
