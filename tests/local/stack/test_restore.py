"""Moments that a database can be restored to."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from local.errors import LocalError
from local.stack.restore import check_within_backups

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def store(first: str | None) -> str:
    window = {"task-manager-database": {"firstRecoverabilityPoint": first}} if first else {}
    return json.dumps({"status": {"serverRecoveryWindow": window}})


@pytest.mark.parametrize(
    ("moment", "first", "sentence"),
    [
        (NOW + timedelta(seconds=1), "2030-01-01T00:00:00Z", "lies ahead"),
        (NOW - timedelta(days=2), "2030-01-01T00:00:00Z", "lies before it"),
        (NOW, None, "there is no backup in task-manager-database yet"),
    ],
)
def test_a_moment_outside_the_backups_is_refused(moment: datetime, first: str | None, sentence: str) -> None:
    with pytest.raises(LocalError, match=sentence):
        check_within_backups(moment, "task-manager-database", store(first), NOW)


def test_a_moment_within_the_backups_is_not() -> None:
    check_within_backups(NOW, "task-manager-database", store("2030-01-02T03:04:05Z"), NOW)
