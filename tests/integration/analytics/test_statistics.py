"""GET /statistics: counts, scope and validation."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from app.analytics.tables import TaskFactRow
from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.core.clock import new_id, utc_now
from app.core.events.tables import OutboxRow
from app.core.jobs.model import Job
from app.tasks import snapshot_job
from tests.support.api import V1, Person, assert_problem
from tests.support.background import dispatch_events, do_jobs
from tests.support.settings import make_settings
from tests.support.storage import storage_of


def statistics(person: Person, **parameters: str) -> dict[str, Any]:
    response = person.call("GET", "/statistics", query_string=parameters)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


def test_changes_count_once_their_events_are_processed(person: Person, container: Container) -> None:
    task = person.create(due_at="2020-01-01T00:00:00Z")
    person.create(status="in_progress", due_at="2020-01-01T00:00:00Z")
    assert statistics(person)["totals"] == {"todo": 0, "in_progress": 0, "done": 0, "overdue": 0}
    dispatch_events(container)
    # the cached response is invalidated: the projection changes the user's data
    assert statistics(person)["totals"] == {"todo": 1, "in_progress": 1, "done": 0, "overdue": 2}

    person.call("PATCH", f"/tasks/{task['id']}", json={"status": "done"})
    dispatch_events(container)
    today = datetime.now(UTC).date()
    found = statistics(person)
    assert found["totals"] == {"todo": 0, "in_progress": 1, "done": 1, "overdue": 1}
    assert (found["created"], found["completed"], found["completion_rate"], found["streak"]) == (2, 1, 0.5, 1)
    assert found["duration"] is None or found["duration"]["median"] < 60
    assert (found["time_zone"], len(found["days"])) == ("UTC", 30)
    assert found["days"][0]["date"] == str(today - timedelta(days=29))
    assert found["days"][-1] == {"date": str(today), "created": 2, "completed": 1}


def test_only_the_requested_days_are_counted(person: Person, container: Container) -> None:
    person.create(status="done")
    dispatch_events(container)
    found = statistics(person, **{"from": "2020-02-28", "to": "2020-03-01"})
    assert [day["date"] for day in found["days"]] == ["2020-02-28", "2020-02-29", "2020-03-01"]
    assert (found["created"], found["completed"], found["completion_rate"]) == (0, 0, None)
    assert found["totals"]["done"] == 1


def test_imported_tasks_count(person: Person, container: Container) -> None:
    lines = b"title,status\n" + b"".join(b"task %d,%s\n" % (n, (b"todo", b"done")[n % 2]) for n in range(250))
    person.call("POST", "/tasks/imports", data={"file": (io.BytesIO(lines), "tasks.csv")})
    do_jobs(container)
    dispatch_events(container)
    found = statistics(person)
    assert (found["totals"]["todo"], found["totals"]["done"], found["created"]) == (125, 125, 250)
    assert found["duration"] is None


def test_an_unchanged_response_is_a_304(person: Person, container: Container) -> None:
    first = person.call("GET", "/statistics")
    again = person.call("GET", "/statistics", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    person.create()
    dispatch_events(container)
    changed = person.call("GET", "/statistics", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_statistics_exclude_the_tasks_of_other_users(
    person: Person, new_person: Callable[[], Person], container: Container
) -> None:
    """V8.2.2: users see their own data only."""
    new_person().create(status="done")
    dispatch_events(container)
    found = statistics(person)
    assert (found["totals"]["done"], found["created"], found["streak"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("from=2030-01-02&to=2030-01-01", "from", "must not be after `to`"),
        ("from=2029-01-01&to=2030-01-02", "from", "must be within 366 days of `to`"),
        ("from=2030-02-30", "from", "is not a date that exists"),
        ("to=1700000000", "to", "must be a date, like 2030-01-31 (RFC 3339)"),
        ("to=2030-01-01T00:00:00Z", "to", "must be a date, like 2030-01-31 (RFC 3339)"),
        ("to=1969-12-31", "to", "must not be before 1970-01-01"),
        ("since=2030-01-01", "since", "Extra inputs are not permitted"),
    ],
)
def test_an_invalid_range_of_days_is_rejected_with_a_reason(person: Person, query: str, field: str, words: str) -> None:
    problem = assert_problem(person.call("GET", f"/statistics?{query}"), 422)
    assert [(error["field"], error["message"]) for error in problem["errors"]] == [(field, words)]


def test_a_range_of_a_year_is_accepted(person: Person) -> None:
    assert len(statistics(person, **{"from": "2028-01-01", "to": "2028-12-31"})["days"]) == 366


def test_tasks_older_than_the_service_are_published_again(
    person: Person, new_person: Callable[[], Person], container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upgrade: no facts of existing tasks, and the snapshot job of the migration is due."""
    monkeypatch.setattr(snapshot_job, "BATCH", 2)
    other = new_person()
    for number in range(3):
        person.create(status="done" if number else "todo")
        other.create(status="in_progress")
    with storage_of(container).write() as work:
        for table in (OutboxRow, TaskFactRow):
            work.session.execute(delete(table))
        work.jobs.add(Job(new_id(), None, "snapshot", utc_now()))
    do_jobs(container)
    dispatch_events(container)
    assert statistics(person)["totals"] == {"todo": 1, "in_progress": 0, "done": 2, "overdue": 0}
    assert statistics(other)["totals"] == {"todo": 0, "in_progress": 3, "done": 0, "overdue": 0}


def test_the_service_runs_alone_without_routes_of_others(sqlite_url: str, keys_url: str) -> None:
    parts = build(make_settings(sqlite_url, jwks_url=keys_url))
    person = Person(create_app(parts).test_client()).register()
    person.client = create_app(build(parts.settings, services=("analytics",))).test_client()
    assert statistics(person)["created"] == 0
    assert_problem(person.client.get(f"{V1}/tasks"), 404)
    parts.database.dispose()
