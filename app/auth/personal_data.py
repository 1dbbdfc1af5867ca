"""Data export of a user's account."""

from typing import Protocol
from uuid import UUID

from app.auth.model import AuditEntry, Session, User
from app.core.objects.file_service import FileStore
from app.core.personal_data import DataFile, DataPage, json_file

PAGE = 1000
"""Audit entries per file."""


class UsersAccount(Protocol):
    def by_id(self, user_id: UUID) -> User | None: ...


class UsersSessions(Protocol):
    def all_of(self, user_id: UUID) -> list[Session]:
        """Return all sessions of a user, ended ones included, newest first."""


class UsersAudit(Protocol):
    def about(self, user_id: UUID, after: UUID | None, limit: int) -> list[AuditEntry]:
        """Return up to `limit` audit entries about an account, newest first, older than `after`."""


class PersonalWork(Protocol):
    @property
    def users(self) -> UsersAccount: ...

    @property
    def sessions(self) -> UsersSessions: ...

    @property
    def audit(self) -> UsersAudit: ...


class AccountData:
    """Account, sessions and avatar."""

    def __init__(self, file_store: FileStore) -> None:
        self._file_store = file_store

    def page(self, work: PersonalWork, user_id: UUID, _after: str | None) -> DataPage:
        user = work.users.by_id(user_id)
        if user is None:
            return DataPage([])
        secret = ("password_hash", "avatar_id")
        account = {name: value for name, value in vars(user).items() if name not in secret}
        files = [json_file("account.json", account), json_file("sessions.json", work.sessions.all_of(user_id))]
        if user.avatar_id:
            files.append(DataFile("picture.webp", self._file_store.open(user.avatar_id)[1]))
        return DataPage(files)


class AuditData:
    """Audit entries about the account; of administrators neither identity nor address is disclosed."""

    def page(self, work: PersonalWork, user_id: UUID, after: str | None) -> DataPage:
        found = work.audit.about(user_id, UUID(after) if after else None, PAGE)
        entries = [_shown(entry, user_id) for entry in found]
        files = [json_file(f"audit-{after}.json" if after else "audit.json", entries)] if found else []
        return DataPage(files, str(found[-1].id) if len(found) == PAGE else None)


def _shown(entry: AuditEntry, user_id: UUID) -> dict[str, object]:
    own = entry.actor_id == user_id
    shown = {"at": entry.at, "action": entry.action, "details": entry.details, "by_yourself": own}
    return {**shown, "remote": entry.remote} if own else shown
