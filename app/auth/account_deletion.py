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
    """The account is gone by the transaction that tells the other services; they delete what they have by themselves.

    The e-mail address is free at once.
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
        """Delete one's own account.

        Args:
            user_id: whose.
            password: the current one.
            remote: the address that the request came from, for the audit log.

        Raises:
            UnauthenticatedError: the account is gone already.
            InvalidError: it is not the password.
            ConflictError: it is the last administrator's.
            UnavailableError: the denylist is away; nothing has changed.
        """
        user = run(self._storage.read, lambda work: work.users.by_id(user_id))
        if user is None:
            raise UnauthenticatedError("The account no longer exists.")
        if not self._passwords.verify(user.password_hash, password):
            log.warning("deletion of account refused", user_id=str(user_id))
            raise InvalidError("password", "is not your password")
        self._delete(Actor(user_id, remote), user_id, user.password_hash)

    def delete(self, actor: Actor, user_id: UUID) -> None:
        """Delete somebody else's account, as an administrator.

        Raises:
            NotFoundError: there is no such user.
            ConflictError: it is the actor's own, which only its password deletes, or the last administrator's.
            UnavailableError: the denylist is away; nothing has changed.
        """
        if user_id == actor.user_id:
            raise ConflictError("Your own account you can delete on your profile page.")
        self._delete(actor, user_id)

    def _delete(self, actor: Actor, user_id: UUID, password_hash: str | None = None) -> None:
        """Delete an account, if the password is still the one with this hash."""
        # Before any session ends: who may not delete the account ends none either.
        run(self._storage.write, lambda work: check_administrators(work, actor, leaving=user_id))
        deleted = False
        while not deleted:
            # First, so that nothing has changed when the denylist is away; and again for a log-in in between.
            self._sessions.end_all(user_id)
            deleted = run(self._storage.write, lambda work: self._delete_row(work, actor, user_id, password_hash))
        log.info("account deleted", user_id=str(user_id), by=str(actor.user_id))

    def _delete_row(self, work: AuthWork, actor: Actor, user_id: UUID, password_hash: str | None) -> bool:
        """Delete the account and tell of it, unless a session has begun meanwhile; say whether it is done."""
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
