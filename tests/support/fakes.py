"""Stand-ins written by hand: storage in memory, a clock that is set, hashing that costs nothing."""

import collections
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.platform.errors import ConflictError, UnavailableError
from app.platform.events import Event
from app.platform.objects.model import StoredObject
from app.services.auth.model import AuditEntry, AuditFilters, PasswordReset, RefreshToken, Role, Session, User
from app.services.tasks.listing import Query
from app.services.tasks.model import Attachment, OnceKey, TagCount, Task


class FakeClock:
    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        self.now += timedelta(**amount)


class Counter:
    """Identifiers that count up from 1."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> UUID:
        self._last += 1
        return UUID(int=self._last)


@dataclass
class FakeUsers:
    rows: dict[UUID, User] = field(default_factory=dict)

    def add(self, user: User) -> None:
        if self.by_email(user.email):
            raise ConflictError("taken")
        self.rows[user.id] = user

    def by_email(self, email: str) -> User | None:
        return next((user for user in self.rows.values() if user.email == email), None)

    def by_id(self, user_id: UUID) -> User | None:
        return self.rows.get(user_id)

    def locked(self, user_id: UUID) -> User | None:
        return self.by_id(user_id)

    def set_password_hash(self, user_id: UUID, password_hash: str) -> None:
        self.rows[user_id] = replace(self.rows[user_id], password_hash=password_hash)

    def set_name(self, user_id: UUID, name: str) -> None:
        self.rows[user_id] = replace(self.rows[user_id], name=name)

    def set_role(self, user_id: UUID, role: Role) -> None:
        self.rows[user_id] = replace(self.rows[user_id], role=role)

    def set_disabled(self, user_id: UUID, since: datetime | None) -> None:
        self.rows[user_id] = replace(self.rows[user_id], disabled_at=since)

    def swap_avatar(self, user_id: UUID, avatar_id: UUID | None) -> UUID | None:
        user = self.rows[user_id]
        self.rows[user_id] = replace(user, avatar_id=avatar_id)
        return user.avatar_id

    def find(self, q: str, after: UUID | None, limit: int) -> list[User]:
        """Newest first: the filter is the database's, and tested there."""
        del q, after
        return sorted(self.rows.values(), key=lambda user: user.id, reverse=True)[:limit]


@dataclass
class FakeSessions:
    rows: dict[UUID, Session] = field(default_factory=dict)
    tokens: dict[UUID, RefreshToken] = field(default_factory=dict)
    used: set[UUID] = field(default_factory=set)

    def add(self, session: Session) -> None:
        self.rows[session.id] = session

    def get(self, session_id: UUID) -> Session | None:
        return self.rows.get(session_id)

    def of_user(self, user_id: UUID, now: datetime) -> list[Session]:
        del now
        return [session for session in self.rows.values() if session.user_id == user_id and not session.revoked_at]

    def touch(self, session_id: UUID, now: datetime) -> None:
        self.rows[session_id] = replace(self.rows[session_id], last_used_at=now)

    def revoke(self, session_id: UUID, now: datetime) -> None:
        self.rows[session_id] = replace(self.rows[session_id], revoked_at=now)

    def add_refresh_token(self, token: RefreshToken) -> None:
        self.tokens[token.id] = token

    def refresh_token(self, token_id: UUID) -> RefreshToken | None:
        return self.tokens.get(token_id)

    def use_refresh_token(self, token_id: UUID, now: datetime) -> bool:  # noqa: ARG002 the fake keeps no times
        first = token_id not in self.used
        self.used.add(token_id)
        return first


@dataclass
class FakeAudit:
    rows: list[AuditEntry] = field(default_factory=list)

    def add(self, entry: AuditEntry) -> None:
        self.rows.append(entry)

    def find(self, filters: AuditFilters, after: UUID | None, limit: int) -> list[AuditEntry]:
        del filters, after
        return self.rows[::-1][:limit]

    def all(self, filters: AuditFilters) -> Iterator[AuditEntry]:
        del filters
        yield from self.rows


@dataclass
class FakeOnce:
    rows: dict[tuple[UUID, str], tuple[str, Any, datetime]] = field(default_factory=dict)

    def get(self, user_id: UUID, key: str, since: datetime) -> tuple[str, Any] | None:
        row = self.rows.get((user_id, key))
        return row[:2] if row and row[2] >= since else None

    def add(self, user_id: UUID, key: OnceKey, result: Any, now: datetime) -> None:
        self.rows[user_id, key.key] = (key.digest, result, now)


@dataclass
class FakeTasks:
    rows: dict[UUID, Task] = field(default_factory=dict)

    def add(self, task: Task) -> None:
        self.rows[task.id] = task

    def get(self, user_id: UUID, task_id: UUID, *, for_update: bool = False) -> Task | None:  # noqa: ARG002 one thread
        task = self.rows.get(task_id)
        return task if task and task.user_id == user_id else None

    def replace(self, task: Task) -> None:
        self.rows[task.id] = task

    def delete(self, user_id: UUID, task_id: UUID) -> Task | None:
        return self.rows.pop(task_id) if self.get(user_id, task_id) else None

    def find(self, user_id: UUID, query: Query) -> list[Task]:
        """Newest first and unfiltered: order and filters are the database's, and tested there."""
        mine = sorted((task for task in self.rows.values() if task.user_id == user_id), key=lambda task: task.id)
        after = query.after
        return [task for task in reversed(mine) if after is None or task.id < after.id][: query.limit]

    def tags(self, user_id: UUID) -> list[TagCount]:
        counts = collections.Counter(tag for task in self.rows.values() if task.user_id == user_id for tag in task.tags)
        return [TagCount(name, counts[name]) for name in sorted(counts)]


class FakeReminders:
    """There are none: which are due is the database's to say, and tested there."""

    def any_due(self, now: datetime) -> bool:
        del now
        return False

    def claim(self, now: datetime, limit: int) -> list[Task]:
        del now, limit
        return []


@dataclass
class FakeObjects:
    """Of files: which are known, and from when each is loose."""

    rows: dict[UUID, tuple[StoredObject, datetime | None]] = field(default_factory=dict)

    def add(self, stored: StoredObject, loose_from: datetime) -> None:
        self.rows[stored.key] = (stored, loose_from)

    def get(self, key: UUID) -> StoredObject | None:
        stored, loose_from = self.rows.get(key, (None, None))
        return stored if loose_from is None else None

    def adopt(self, key: UUID, now: datetime) -> bool:
        stored, loose_from = self.rows[key]
        self.rows[key] = (stored, None)
        return loose_from is not None and loose_from > now

    def loosen(self, keys: Sequence[UUID], now: datetime) -> None:
        for key in keys:
            self.rows[key] = (self.rows[key][0], now)

    def loose(self, now: datetime, limit: int) -> list[UUID]:
        return [key for key, (_, since) in self.rows.items() if since is not None and since <= now][:limit]

    def forget(self, keys: Sequence[UUID]) -> None:
        for key in keys:
            del self.rows[key]


@dataclass
class FakeAttachments:
    rows: list[Attachment] = field(default_factory=list)

    def add(self, attachment: Attachment, quota: int) -> bool:
        fits = self.used(attachment.user_id) + attachment.size <= quota
        if fits:
            self.rows.append(attachment)
        return fits

    def used(self, user_id: UUID) -> int:
        return sum(row.size for row in self.rows if row.user_id == user_id)

    def of_task(self, user_id: UUID, task_id: UUID) -> list[Attachment]:
        return [row for row in self.rows if (row.user_id, row.task_id) == (user_id, task_id)]

    def delete(self, user_id: UUID, task_id: UUID, attachment_id: UUID) -> bool:
        found = [row for row in self.of_task(user_id, task_id) if row.id == attachment_id]
        self.rows = [row for row in self.rows if row not in found]
        return bool(found)

    def delete_of(self, user_id: UUID, task_ids: Sequence[UUID]) -> list[UUID]:
        found = [row for task_id in task_ids for row in self.of_task(user_id, task_id)]
        self.rows = [row for row in self.rows if row not in found]
        return [row.id for row in found]


@dataclass
class FakeResets:
    rows: dict[UUID, PasswordReset] = field(default_factory=dict)

    def add(self, reset: PasswordReset) -> None:
        self.rows[reset.id] = reset

    def get(self, reset_id: UUID) -> PasswordReset | None:
        return self.rows.get(reset_id)

    def use(self, reset_id: UUID, now: datetime) -> bool:
        reset = self.rows[reset_id]
        good = reset.used_at is None and reset.expires_at > now
        self.rows[reset_id] = replace(reset, used_at=reset.used_at or now)
        return good

    def void(self, user_id: UUID, now: datetime) -> None:
        for reset in [row for row in self.rows.values() if row.user_id == user_id]:
            self.use(reset.id, now)


@dataclass
class FakeMails:
    queued: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def add(self, kind: str, parameters: Mapping[str, str]) -> None:
        self.queued.append((kind, parameters))


@dataclass
class FakeOutbox:
    events: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> None:
        self.events.append(event)


class FakeStorage:
    """All tables in memory. A write that fails is not undone: no rule here relies on it."""

    def __init__(self) -> None:
        self.users = FakeUsers()
        self.sessions = FakeSessions()
        self.audit = FakeAudit()
        self.resets = FakeResets()
        self.mails = FakeMails()
        self.tasks = FakeTasks()
        self.reminders = FakeReminders()
        self.attachments = FakeAttachments()
        self.objects = FakeObjects()
        self.outbox = FakeOutbox()
        self.once = FakeOnce()

    @contextmanager
    def read(self) -> "Iterator[FakeStorage]":
        yield self

    @contextmanager
    def read_of(self, user_id: UUID) -> "Iterator[FakeStorage]":  # noqa: ARG002 there are no copies
        yield self

    @contextmanager
    def write(self) -> "Iterator[FakeStorage]":
        yield self


class FakePasswords:
    """Hashes by turning round; notes how many times it was asked, for the rule of equal time."""

    def __init__(self) -> None:
        self.verified = 0
        self.scheme = "v1"

    def hash(self, password: str) -> str:
        return f"{self.scheme}:{password[::-1]}"

    def verify(self, password_hash: str | None, password: str) -> bool:
        self.verified += 1
        return password_hash is not None and password_hash.partition(":")[2] == password[::-1]

    def outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith(self.scheme)


class FakeTokens:
    def issue(self, user_id: UUID, session_id: UUID, token_id: UUID, role: str, now: datetime) -> str:
        return f"{user_id}/{session_id}/{token_id}/{role}/{now.isoformat()}"


class FakeDenylist:
    def __init__(self) -> None:
        self.entries: set[UUID] = set()
        self.away = False

    def deny(self, user_id: UUID, session_id: UUID) -> None:  # noqa: ARG002 sessions are unique by themselves
        if self.away:
            raise UnavailableError("away")
        self.entries.add(session_id)
