"""GET /statistics: what it counts, for whom, and what it refuses."""

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
from tests.support.background import carry_events, do_jobs
from tests.support.settings import make_settings
from tests.support.storage import storage_of


def statistics(person: Person, **parameters: str) -> dict[str, Any]:
    response = person.call("GET", "/statistics", query_string=parameters)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


def test_what_was_done_counts_once_it_has_been_told(person: Person, container: Container) -> None:
    task = person.create(due_at="2020-01-01T00:00:00Z")
    person.create(status="in_progress", due_at="2020-01-01T00:00:00Z")
    assert statistics(person)["totals"] == {"todo": 0, "in_progress": 0, "done": 0, "overdue": 0}
    carry_events(container)
    # the answer that was kept is not given again: hearing of a task is a change of what its user sees
    assert statistics(person)["totals"] == {"todo": 1, "in_progress": 1, "done": 0, "overdue": 2}

    person.call("PATCH", f"/tasks/{task['id']}", json={"status": "done"})
    carry_events(container)
    today = datetime.now(UTC).date()
    found = statistics(person)
    assert found["totals"] == {"todo": 0, "in_progress": 1, "done": 1, "overdue": 1}
    assert (found["created"], found["completed"], found["completion_rate"], found["streak"]) == (2, 1, 0.5, 1)
    assert found["duration"] is None or found["duration"]["median"] < 60
    assert (found["time_zone"], len(found["days"])) == ("UTC", 30)
    assert found["days"][0]["date"] == str(today - timedelta(days=29))
    assert found["days"][-1] == {"date": str(today), "created": 2, "completed": 1}


def test_only_the_days_asked_for_are_counted(person: Person, container: Container) -> None:
    person.create(status="done")
    carry_events(container)
    found = statistics(person, **{"from": "2020-02-28", "to": "2020-03-01"})
    assert [day["date"] for day in found["days"]] == ["2020-02-28", "2020-02-29", "2020-03-01"]
    assert (found["created"], found["completed"], found["completion_rate"]) == (0, 0, None)
    assert found["totals"]["done"] == 1


def test_what_was_imported_counts(person: Person, container: Container) -> None:
    lines = b"title,status\n" + b"".join(b"task %d,%s\n" % (n, (b"todo", b"done")[n % 2]) for n in range(250))
    person.call("POST", "/tasks/imports", data={"file": (io.BytesIO(lines), "tasks.csv")})
    do_jobs(container)
    carry_events(container)
    found = statistics(person)
    assert (found["totals"]["todo"], found["totals"]["done"], found["created"]) == (125, 125, 250)
    assert found["duration"] is None


def test_an_answer_that_has_not_changed_is_not_sent_again(person: Person, container: Container) -> None:
    first = person.call("GET", "/statistics")
    again = person.call("GET", "/statistics", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    person.create()
    carry_events(container)
    changed = person.call("GET", "/statistics", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_nobody_counts_what_is_somebody_elses(
    person: Person, new_person: Callable[[], Person], container: Container
) -> None:
    """V8.2.2: everybody sees their own."""
    new_person().create(status="done")
    carry_events(container)
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
def test_days_that_make_no_range_are_refused_in_words(person: Person, query: str, field: str, words: str) -> None:
    problem = assert_problem(person.call("GET", f"/statistics?{query}"), 422)
    assert [(error["field"], error["message"]) for error in problem["errors"]] == [(field, words)]


def test_a_year_is_answered(person: Person) -> None:
    assert len(statistics(person, **{"from": "2028-01-01", "to": "2028-12-31"})["days"]) == 366


def test_tasks_from_before_the_service_are_told_anew(
    person: Person, new_person: Callable[[], Person], container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an upgrade: nothing is known of the tasks that are there, and the job of the migration is due."""
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
    carry_events(container)
    assert statistics(person)["totals"] == {"todo": 1, "in_progress": 0, "done": 2, "overdue": 0}
    assert statistics(other)["totals"] == {"todo": 0, "in_progress": 3, "done": 0, "overdue": 0}


def test_the_service_alone_answers_and_has_no_paths_of_another(sqlite_url: str) -> None:
    parts = build(make_settings(sqlite_url))
    person = Person(create_app(parts).test_client()).register()
    person.client = create_app(build(parts.settings, services=("analytics",))).test_client()
    assert statistics(person)["created"] == 0
    assert_problem(person.client.get(f"{V1}/tasks"), 404)
    parts.database.dispose()
