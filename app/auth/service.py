"""Accounts, log-in and token refresh."""

import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from app.auth import events
from app.auth.model import RefreshToken, Session, TokenPair, User
from app.auth.ports import AuthStorage, AuthWork, PasswordHashing, TokenIssuer
from app.auth.sessions import SessionService
from app.core.clock import Clock, NewId
from app.core.database.retries import retried, run
from app.core.errors import InvalidError, UnauthenticatedError
from app.core.security.roles import Role
from app.core.text import normalise_email

log = structlog.get_logger(__name__)

REFUSED_LOGIN = "The e-mail address or the password is wrong."
GONE = "The account no longer exists."
REFUSED_REFRESH = "The refresh token is not valid. Log in again."


@dataclass(frozen=True)
class Lifetimes:
    access: timedelta
    refresh: timedelta
    overlap: timedelta
    """Grace period after a refresh token's first use in which it may be used again; zero: never."""


class AuthService:
    def __init__(
        self,
        storage: AuthStorage,
        passwords: PasswordHashing,
        tokens: TokenIssuer,
        sessions: SessionService,
        lifetimes: Lifetimes,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._storage = storage
        self._passwords = passwords
        self._tokens = tokens
        self._sessions = sessions
        self._lifetimes = lifetimes
        self._clock = clock
        self._new_id = new_id

    def login(self, email: str, password: str) -> TokenPair:
        """Open a session. Raises UnauthenticatedError, in the same time whether or not the address is known."""
        user = run(self._storage.read, lambda work: work.users.by_email(normalise_email(email)))
        if not self._passwords.verify(user.password_hash if user else None, password) or not user or user.disabled:
            # Without the address: it may be a password typed into the wrong field.
            log.warning("log-in refused", user_id=str(user.id) if user else None, locked=bool(user and user.disabled))
            raise UnauthenticatedError(REFUSED_LOGIN)
        upgraded = self._passwords.hash(password) if self._passwords.outdated(user.password_hash, password) else None
        now = self._clock()
        session = Session(self._new_id(), user.id, now, now)

        def open_session(work: AuthWork) -> TokenPair | None:
            # Hashing is slow. A concurrent change of the password, role or lock ended the sessions that existed: no
            # session may begin with the state from before it.
            if work.users.locked(user.id) != user:
                return None
            if upgraded:
                work.users.set_password_hash(user.id, upgraded)
            work.sessions.add(session)
            return self._issue(work, session, user.role, now)

        pair = run(self._storage.write, open_session)
        if pair is None:
            return self.login(email, password)
        log.info("logged in", user_id=str(user.id), session_id=str(session.id))
        return pair

    def refresh(self, refresh_token: str) -> TokenPair:
        """Rotate a refresh token: exchange it for a new pair of tokens.

        Each token works once, and again within the overlap: a response may get lost, and two tabs may use the same
        token. Each use yields a token of its own, of the same session. A use after the overlap means that two parties
        hold the token, so the whole session ends (RFC 9700, section 4.14.2).

        Raises:
            UnauthenticatedError: unknown, expired or reused.
        """

        def use(work: AuthWork) -> TokenPair | Session:
            now = self._clock()  # inside the transaction: the overlap begins when the first use is stored
            token, session = self._find(work, refresh_token)
            if not session.revoked_at:
                # Locked: the account is neither deleted nor changed in role before the pair is stored.
                user = work.users.locked(session.user_id)
                if token.expires_at <= now or user is None or user.disabled:
                    raise UnauthenticatedError(REFUSED_REFRESH)
                used_at = work.sessions.use_refresh_token(token.id, now)
                # The first use may have been on a server whose clock is ahead.
                if used_at is None or max(now - used_at, timedelta()) < self._lifetimes.overlap:
                    if used_at is not None:
                        log.info("refresh token used again", user_id=str(session.user_id), session_id=str(session.id))
                    work.sessions.touch(session.id, now)
                    return self._issue(work, session, user.role, now)
                self._sessions.revoke(work, session.user_id, session.id, now)
            return session

        used = run(self._storage.write, use)
        if isinstance(used, TokenPair):
            return used
        session = used
        log.warning(
            "refresh refused",
            user_id=str(session.user_id),
            session_id=str(session.id),
            used_again=session.revoked_at is None,
        )
        # Also for a session that had ended before: the denylist may have been unavailable then.
        self._sessions.end(session.user_id, {session.id})
        raise UnauthenticatedError(REFUSED_REFRESH)

    def logout(self, user_id: UUID, session_id: UUID, refresh_token: str | None = None) -> None:
        """End the session of an access token, and that of a refresh token of the same user if one is given.

        The denylist comes first: if it is unavailable, nothing has changed and the client may retry.
        """
        ending = {session_id}
        if refresh_token is not None:
            # An invalid token has no session to end; it must not fail the log-out.
            with suppress(UnauthenticatedError):
                _, other = run(self._storage.read, lambda work: self._find(work, refresh_token))
                if other.user_id == user_id:
                    ending.add(other.id)
        self._sessions.end(user_id, ending)

    def change_password(self, user_id: UUID, session_id: UUID, current: str, new: str) -> None:
        """Replace the password, end every other session and invalidate password resets.

        Raises:
            InvalidError: the current password is wrong.
            UnauthenticatedError: the account is deleted or locked.
        """
        # From the primary: a replica may lag behind a change of the password.
        user = run(self._storage.read, lambda work: work.users.by_id(user_id))
        if user is None or user.disabled:
            raise UnauthenticatedError(GONE)
        if not self._passwords.verify(user.password_hash, current):
            log.warning("change of password refused", user_id=str(user_id))
            raise InvalidError("current_password", "is not the current password")
        password_hash = self._passwords.hash(new)
        # Before: if the denylist is unavailable, nothing has changed. And after: for a log-in in between.
        self._sessions.end_all(user_id, but=session_id)

        def set_password(work: AuthWork) -> bool:
            # Hashing is slow. A concurrent replacement, by a reset or in another session, was meant to lock out holders
            # of the former password, perhaps this caller.
            found = work.users.locked(user_id)
            if found is None or found.disabled or found.password_hash != user.password_hash:
                return False
            work.users.set_password_hash(user_id, password_hash)
            work.resets.void(user_id, self._clock())
            return True

        if not run(self._storage.write, set_password):
            self.change_password(user_id, session_id, current, new)
            return
        log.info("password changed", user_id=str(user_id))
        self._sessions.end_all(user_id, but=session_id)

    def rename(self, user_id: UUID, name: str) -> User:
        """Change the name of an account and return the account."""

        def set_name(work: AuthWork) -> None:
            work.users.set_name(user_id, name)
            if user := work.users.by_id(user_id):
                work.outbox.add(events.changed(user, self._new_id, self._clock()))

        run(self._storage.write, set_name)
        return self.user(user_id)

    @retried
    def user(self, user_id: UUID) -> User:
        """Return an account. Raises UnauthenticatedError if it no longer exists."""
        with self._storage.read_of(user_id) as work:
            user = work.users.by_id(user_id)
        if user is None:
            raise UnauthenticatedError(GONE)
        return user

    def _issue(self, work: AuthWork, session: Session, role: Role, now: datetime) -> TokenPair:
        secret = secrets.token_bytes(32)
        token_id = self._new_id()
        work.sessions.add_refresh_token(
            RefreshToken(token_id, session.id, _digest(secret), now + self._lifetimes.refresh)
        )
        access_token = self._tokens.issue(session.user_id, session.id, self._new_id(), role, now)
        return TokenPair(access_token, f"{token_id.hex}.{secret.hex()}", int(self._lifetimes.access.total_seconds()))

    def _find(self, work: AuthWork, refresh_token: str) -> tuple[RefreshToken, Session]:
        identifier, _, secret = refresh_token.partition(".")
        try:
            token = work.sessions.refresh_token(UUID(hex=identifier))
            digest = _digest(bytes.fromhex(secret))
        except ValueError:
            raise UnauthenticatedError(REFUSED_REFRESH) from None
        if token is None or not hmac.compare_digest(token.secret_hash, digest):
            raise UnauthenticatedError(REFUSED_REFRESH)
        session = work.sessions.get(token.session_id)
        if session is None:
            raise UnauthenticatedError(REFUSED_REFRESH)
        return token, session


def _digest(secret: bytes) -> bytes:
    # The secret has 256 random bits and can't be guessed: a slow hash would add nothing.
    return hashlib.sha256(secret).digest()
