"""Repository of preferences."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import time
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core.database.row_count import changed
from app.core.database.upsert import insert_into
from app.core.database.user_versions import touch
from app.notifications.model import Channel, Choices, Kind, Preferences
from app.notifications.quiet_hours import QuietHours
from app.notifications.tables import ChannelChoiceRow, PreferencesRow

NO_CHOICES: Choices = MappingProxyType({})


class SqlPreferences:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, user_id: UUID) -> Preferences:
        row = self._session.get(PreferencesRow, user_id, populate_existing=True)
        return _preferences(row, self._choices([user_id])[user_id]) if row else Preferences()

    def change(self, user_id: UUID, change: Mapping[str, object], choices: Choices = NO_CHOICES) -> None:
        touch(self._session, user_id)
        columns = _columns(change)
        statement = insert_into(self._session, PreferencesRow).values(
            user_id=user_id, **{**_columns(vars(Preferences())), **columns}
        )
        key = ["user_id"]
        self._session.execute(
            statement.on_conflict_do_update(index_elements=key, set_=columns)
            if columns
            else statement.on_conflict_do_nothing(index_elements=key)
        )
        for kind, channels in choices.items():
            for channel, enabled in channels.items():
                self._choose(user_id, kind, channel, enabled)

    def delete(self, user_id: UUID) -> int:
        return sum(
            changed(self._session.execute(delete(table).where(table.user_id == user_id)))
            for table in (ChannelChoiceRow, PreferencesRow)
        )

    def all_after(self, after: UUID | None, limit: int) -> list[tuple[UUID, Preferences]]:
        """Return the preferences of up to `limit` users, ordered by user id, past `after`."""
        statement = select(PreferencesRow).order_by(PreferencesRow.user_id).limit(limit)
        if after is not None:
            statement = statement.where(PreferencesRow.user_id > after)
        rows = self._session.scalars(statement).all()
        choices = self._choices([row.user_id for row in rows])
        return [(row.user_id, _preferences(row, choices[row.user_id])) for row in rows]

    def _choose(self, user_id: UUID, kind: Kind, channel: Channel, enabled: bool) -> None:
        row = {"user_id": user_id, "kind": kind, "channel": channel, "enabled": enabled}
        statement = insert_into(self._session, ChannelChoiceRow).values(**row)
        key = ["user_id", "kind", "channel"]
        self._session.execute(statement.on_conflict_do_update(index_elements=key, set_={"enabled": enabled}))

    def _choices(self, user_ids: Sequence[UUID]) -> dict[UUID, Choices]:
        found: defaultdict[UUID, defaultdict[Kind, dict[Channel, bool]]] = defaultdict(lambda: defaultdict(dict))
        chosen = select(
            ChannelChoiceRow.user_id, ChannelChoiceRow.kind, ChannelChoiceRow.channel, ChannelChoiceRow.enabled
        )
        for user_id, kind, channel, enabled in self._session.execute(
            chosen.where(ChannelChoiceRow.user_id.in_(user_ids))
        ):
            # A later release may have more of either.
            if kind in set(Kind) and channel in set(Channel):
                found[user_id][Kind(kind)][Channel(channel)] = enabled
        return {user_id: dict(found[user_id]) for user_id in user_ids}


def _columns(change: Mapping[str, object]) -> dict[str, Any]:
    """Return the columns of fields of Preferences."""
    columns = {name: value for name, value in change.items() if name not in {"quiet_hours", "others"}}
    if "quiet_hours" in change:
        quiet = change["quiet_hours"]
        columns["quiet_start"] = _minutes(quiet.start) if isinstance(quiet, QuietHours) else None
        columns["quiet_end"] = _minutes(quiet.end) if isinstance(quiet, QuietHours) else None
    return columns


def _preferences(row: PreferencesRow, choices: Choices) -> Preferences:
    quiet = None
    if row.quiet_start is not None and row.quiet_end is not None:
        quiet = QuietHours(_time(row.quiet_start), _time(row.quiet_end))
    return Preferences(row.reminder_mails, row.weekly_report, choices, row.time_zone, quiet)


def _minutes(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def _time(minutes: int) -> time:
    return time(*divmod(minutes, 60))
