"""Account deletion, by its owner or by an administrator."""

from uuid import UUID

import structlog

from app.auth import events
from app.auth.admin import NO_SUCH_USER, Actor, check_administrators
from app.auth.model import AuditEntry
from app.auth.ports import AuthStorage, AuthWork, PasswordHashing
from app.auth.sessions import SessionService
from app.core.clock import Clock, NewId
from app.core.database.retries import run
from app.core.errors import ConflictError, InvalidError, NotFoundError, UnauthenticatedError

log = structlog.get_logger(__name__)


class AccountDeletionService:
    """Deletes an account and publishes `user.deleted` in one transaction; each other service then deletes its own data.

    The e-mail address can be registered again at once.
    """

    def __init__(
        self,
        storage: AuthStorage,
        passwords: PasswordHashing,
        sessions: SessionService,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._storage = storage
        self._passwords = passwords
        self._sessions = sessions
        self._clock = clock
        self._new_id = new_id

    def delete_own(self, user_id: UUID, password: str, remote: str) -> None:
        """Delete the caller's own account.

        Args:
            user_id: the caller.
            password: the current password.
            remote: the client's address, for the audit log.

        Raises:
            UnauthenticatedError: the account no longer exists.
            InvalidError: the password is wrong.
            ConflictError: it is the last administrator's account.
            UnavailableError: the denylist is unavailable; nothing has changed.
        """
        user = run(self._storage.read, lambda work: work.users.by_id(user_id))
        if user is None:
            raise UnauthenticatedError("The account no longer exists.")
        if not self._passwords.verify(user.password_hash, password):
            log.warning("deletion of account refused", user_id=str(user_id))
            raise InvalidError("password", "is not your password")
        self._delete(Actor(user_id, remote), user_id, user.password_hash)

    def delete(self, actor: Actor, user_id: UUID) -> None:
        """Delete another user's account, as an administrator.

        Raises:
            NotFoundError: there is no such user.
            ConflictError: it is the actor's own account, which takes the password, or the last administrator's.
            UnavailableError: the denylist is unavailable; nothing has changed.
        """
        if user_id == actor.user_id:
            raise ConflictError("Your own account you can delete on your profile page.")
        self._delete(actor, user_id)

    def _delete(self, actor: Actor, user_id: UUID, password_hash: str | None = None) -> None:
        """Delete an account; with `password_hash`, only if that is still its hash."""
        # Before any session ends: a forbidden deletion must not end sessions.
        run(self._storage.write, lambda work: check_administrators(work, actor, leaving=user_id))
        deleted = False
        while not deleted:
            # Sessions first: if the denylist is unavailable, nothing has changed. Again after a log-in in between.
            self._sessions.end_all(user_id)
            deleted = run(self._storage.write, lambda work: self._delete_row(work, actor, user_id, password_hash))
        log.info("account deleted", user_id=str(user_id), by=str(actor.user_id))

    def _delete_row(self, work: AuthWork, actor: Actor, user_id: UUID, password_hash: str | None) -> bool:
        """Delete the account and publish it; return False, with nothing done, if a session has begun meanwhile."""
        now = self._clock()
        check_administrators(work, actor, leaving=user_id)
        user = work.users.locked(user_id)
        if user is None:
            raise NotFoundError(NO_SUCH_USER)
        if password_hash is not None and user.password_hash != password_hash:
            raise InvalidError("password", "is not your password")
        if work.sessions.of_user(user_id, now):
            return False
        work.users.delete(user_id)
        if user.avatar_id is not None:
            work.objects.unlink([user.avatar_id], now)
        work.deleted_users.add(user_id, now)
        work.outbox.add(events.deleted(user_id, self._new_id, now))
        work.audit.add(AuditEntry(self._new_id(), now, actor.user_id, "user.delete", user_id, actor.remote, {}))
        return True
