"""Administration of accounts; every action is audited in the same transaction."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from app.auth.model import AuditEntry, AuditFilters, User
from app.auth.ports import AuthStorage, AuthWork
from app.auth.sessions import SessionService
from app.core.clock import Clock, NewId
from app.core.database.retries import retried, run
from app.core.errors import ConflictError, ForbiddenError, NotFoundError
from app.core.security.roles import ONLY_ADMINISTRATORS, Role
from app.core.text import normalise_email

EXPORT_PAGE = 500
"""Audit entries read into memory at a time."""

NO_SUCH_USER = "There is no such user."


@dataclass(frozen=True)
class Actor:
    """Caller of an audited action.

    Args:
        user_id: None for a command of the deployment.
        remote: address of the client; empty for a command.
    """

    user_id: UUID | None
    remote: str


class AdminService:
    def __init__(self, storage: AuthStorage, sessions: SessionService, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._sessions = sessions
        self._clock = clock
        self._new_id = new_id

    @retried
    def users(self, q: str, after: UUID | None, limit: int) -> list[User]:
        """Return accounts whose address contains `q`, newest first, older than `after`."""
        with self._storage.read() as work:
            return work.users.find(q, after, limit)

    def update(self, actor: Actor, user_id: UUID, role: Role | None = None, disabled: bool | None = None) -> User:
        """Change an account's role, or lock or unlock it; its sessions end, since their tokens carry the former state.

        Args:
            actor: the administrator.
            user_id: the account.
            role, disabled: the new values; None leaves a value unchanged.

        Raises:
            NotFoundError: there is no such user.
            ForbiddenError: the actor is no longer an administrator.
            ConflictError: it is the actor's own account, or the change would leave no administrator.
            UnavailableError: the denylist is unavailable; the client should retry.
        """
        if user_id == actor.user_id:
            raise ConflictError("Another administrator has to change your account.")

        def change(work: AuthWork) -> None:
            leaving = user_id if role is Role.USER or disabled else None
            check_administrators(work, actor, leaving)
            user = work.users.locked(user_id)
            if user is None:
                raise NotFoundError(NO_SUCH_USER)
            if role is not None and role != user.role:
                work.users.set_role(user_id, role)
                self._audit(work, actor, "user.role", user_id, {"from": user.role, "to": role})
            if disabled is not None and disabled != user.disabled:
                work.users.set_disabled(user_id, self._clock() if disabled else None)
                self._audit(work, actor, "user.disable" if disabled else "user.enable", user_id)

        run(self._storage.write, change)
        # Also when nothing has changed: an earlier attempt may have failed here, at the denylist.
        self._sessions.end_all(user_id)
        return run(self._storage.read, lambda work: _existing(work, user_id))

    def log_out(self, actor: Actor, user_id: UUID) -> None:
        """End all sessions of a user. Raises NotFoundError, or ForbiddenError as `update` does."""

        def record(work: AuthWork) -> None:
            check_administrators(work, actor)
            _existing(work, user_id)
            self._audit(work, actor, "user.logout", user_id)

        run(self._storage.write, record)
        self._sessions.end_all(user_id)

    def grant_admin(self, email: str) -> None:
        """Make an account an administrator, from the command line. Raises NotFoundError."""
        user = run(self._storage.read, lambda work: work.users.by_email(normalise_email(email)))
        if user is None:
            raise NotFoundError(f"no account has the address {email}")
        self.update(Actor(None, ""), user.id, role=Role.ADMIN)

    @retried
    def audit(self, filters: AuditFilters, after: UUID | None, limit: int) -> list[AuditEntry]:
        """Return entries of the audit log, newest first, older than `after`."""
        with self._storage.read() as work:
            return work.audit.find(filters, after, limit)

    def export_audit(self, actor: Actor, filters: AuditFilters) -> Iterator[AuditEntry]:
        """Return the whole audit log, oldest first; its last entry is the export itself.

        Each page is a transaction of its own: a client that reads slowly holds no transaction open.
        """
        exported = run(self._storage.write, lambda work: self._audit(work, actor, "audit.export", None))
        return self._up_to(exported, filters)

    def _up_to(self, until: AuditEntry, filters: AuditFilters) -> Iterator[AuditEntry]:
        page = self._export_page(filters, None, until)
        while page:
            yield from page
            page = self._export_page(filters, page[-1], until)

    @retried
    def _export_page(self, filters: AuditFilters, after: AuditEntry | None, until: AuditEntry) -> list[AuditEntry]:
        with self._storage.read() as work:
            return work.audit.oldest(filters, after, until, EXPORT_PAGE)

    def _audit(
        self, work: AuthWork, actor: Actor, action: str, subject: UUID | None, details: dict[str, str] | None = None
    ) -> AuditEntry:
        entry = AuditEntry(
            self._new_id(), self._clock(), actor.user_id, action, subject, actor.remote, dict(details or {})
        )
        work.audit.add(entry)
        return entry


def check_administrators(work: AuthWork, actor: Actor, leaving: UUID | None = None) -> None:
    """Check that the actor may act and that an administrator remains; locks the administrators until the commit.

    Args:
        work: a transaction that has locked no account yet.
        actor: must be an administrator still, or `leaving` itself, or a command.
        leaving: an account that will no longer be an administrator, if it is one.

    Raises:
        ForbiddenError: the actor lost the role since the request began.
        ConflictError: no administrator would be left.
    """
    administrators = work.users.locked_administrators()
    if actor.user_id not in {None, leaving} | administrators:
        raise ForbiddenError(ONLY_ADMINISTRATORS)
    if administrators == {leaving}:
        raise ConflictError("It is the last administrator's account: make somebody else one first.")


def _existing(work: AuthWork, user_id: UUID) -> User:
    user = work.users.by_id(user_id)
    if user is None:
        raise NotFoundError(NO_SUCH_USER)
    return user
