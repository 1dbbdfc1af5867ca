"""CSV import and export over the API; tests run the jobs inline."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from app.bootstrap.container import Container
from app.tasks import import_job
from tests.support.api import Person, assert_problem


def upload(person: Person, content: bytes, **more: Any) -> Any:
    return person.call("POST", "/tasks/imports", data={"file": (io.BytesIO(content), "tasks.csv"), **more})


def imported(person: Person, container: Container, content: bytes) -> dict[str, Any]:
    """Import a file and return the finished job."""
    response = upload(person, content)
    assert response.status_code == 202, response.text
    return finished(person, container, response.get_json())


def finished(person: Person, container: Container, job: dict[str, Any]) -> dict[str, Any]:
    while container.inline.run_once():
        pass
    body: dict[str, Any] = person.call("GET", f"/jobs/{job['id']}").get_json()
    return body


def refusals(person: Person, job: dict[str, Any]) -> dict[int, str]:
    items = person.call("GET", f"/jobs/{job['id']}/refused").get_json()["items"]
    return {item["line"]: item["reason"] for item in items}


def test_a_file_becomes_tasks(person: Person, container: Container) -> None:
    job = imported(
        person,
        container,
        b"\xef\xbb\xbftitle,description,status,due_at,tags\r\n"
        b'First,"two\nlines, a tab\tand a \\N",done,2030-01-31T12:00:00+01:00,Home; Not  Now ;home\r\n'
        b"Second \xc3\xa9,,,,\r\n",
    )
    assert (job["state"], job["done"], job["total"], job["refused"]) == ("succeeded", 2, 2, 0)
    second, first = sorted(person.walk(), key=lambda task: str(task["title"]), reverse=True)
    assert (first["title"], first["description"]) == ("First", "two\nlines, a tab\tand a \\N")
    assert (first["status"], first["due_at"]) == ("done", "2030-01-31T11:00:00Z")
    assert first["tags"] == ["home", "not now"]
    assert [task["title"] for task in person.walk(tag="home")] == ["First"]
    assert (second["title"], second["description"], second["status"], second["due_at"]) == (
        "Second é",
        "",
        "todo",
        None,
    )
    assert [task["title"] for task in person.walk(q="TWO\nlines")] == ["First"]


def test_each_rejected_line_is_reported_with_its_reason(person: Person, container: Container) -> None:
    job = imported(
        person,
        container,
        b"title,description,status,due_at\n"
        b"good,,,\n"
        b" ,x,,\n" + b"t" * 201 + b",,,\n"
        b"status,,later,\n"
        b"time,,,tomorrow\n"
        b"time,,,2030-02-30T12:00:00Z\n"
        b"cells,,\n"
        b"bytes \xff,,,\n" + b"long," + b"x" * 10_001 + b",,\n" + b"longer," + b"x" * 1_200_000 + b",,\n"
        b"good again,,,\n",
    )
    assert (job["state"], job["done"], job["refused"]) == ("succeeded", 11, 9)
    assert sorted(task["title"] for task in person.walk()) == ["good", "good again"]
    reasons = refusals(person, job)
    assert sorted(reasons) == [3, 4, 5, 6, 7, 8, 9, 10, 11]
    for line, words in {3: "blank", 4: "200", 5: "todo, in_progress or done", 6: "RFC 3339", 7: "exists", 8: "3 cells",
                        9: "UTF-8", 10: "10000", 11: "longer than"}.items():  # fmt: skip
        assert words in reasons[line], (line, reasons[line])


@pytest.mark.parametrize("rows", [2, 40_000])
@pytest.mark.parametrize("last", [b"good,fine\n", b'good,"fine"\n'])
def test_an_open_quote_costs_its_own_line_only(person: Person, container: Container, rows: int, last: bytes) -> None:
    """However distant the next quote or the end of the file."""
    content = b'title,description\nSecond,"an opening mark only\n' + b"x,y\n" * rows + last
    job = imported(person, container, content)
    assert (job["state"], job["done"], job["refused"]) == ("succeeded", rows + 2, 1)
    assert [task["description"] for task in person.walk(q="good")] == ["fine"]
    assert refusals(person, job) == {2: "opens a quote that nothing closes"}


def test_an_endless_record_is_not_buffered(person: Person, container: Container) -> None:
    """Its cells are small, and all its line ends are quoted."""
    job = imported(person, container, b"title,description\n" + b'"\n",' * 50_000)
    assert (job["state"], job["refused"]) == ("succeeded", job["done"])
    assert "opens a quote" in refusals(person, job)[2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"name\nx\n", "no column is the title; say which by columns=NAME:title, of “name”"),
        (b"title,title\n", "several are the title"),
        (b"\n\n", "is empty"),
        (b"title,urgency,owner\nx,1,2\n", "no task has a place for “urgency”, “owner”"),
        (b't"\xc3\xa9,"open\n', "line 1 must name the columns, but it opens a quote"),
    ],
)
def test_a_file_without_task_columns_is_rejected_before_a_job_is_queued(
    person: Person, content: bytes, reason: str
) -> None:
    problem = assert_problem(upload(person, content), 422)
    assert reason in problem["errors"][0]["message"]
    assert person.call("GET", "/jobs").get_json()["items"] == []


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\x00bomb", b"PK\x03\x04bomb", b""])
def test_a_compressed_or_empty_file_is_rejected_and_not_stored(person: Person, content: bytes) -> None:
    assert_problem(upload(person, content), 422)
    assert person.call("GET", "/jobs").get_json()["items"] == []


def test_an_import_needs_one_file_in_a_form(person: Person) -> None:
    assert_problem(upload(person, b"title\nx\n", more="field"), 422)
    assert_problem(person.call("POST", "/tasks/imports", json={}), 415)
    compressed = {"headers": {"Content-Encoding": "gzip"}, "data": {"file": (io.BytesIO(b"title"), "tasks.csv")}}
    assert_problem(person.call("POST", "/tasks/imports", **compressed), 415)


def test_an_import_can_be_cancelled_and_resumed(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_job, "BATCH", 10)
    queued = upload(person, b"title\n" + b"".join(b"task %d\n" % number for number in range(35))).get_json()
    runner = container.background.runner._by_kind["import"]
    step = runner._step
    calls: list[int] = []

    def cancel_at_the_second(*arguments: Any) -> bool:
        calls.append(1)
        if len(calls) == 3:
            assert person.call("POST", f"/jobs/{queued['id']}/cancel").status_code == 202
        return step(*arguments)

    monkeypatch.setattr(runner, "_step", cancel_at_the_second)
    job = finished(person, container, queued)
    assert (job["state"], job["done"]) == ("cancelled", 20)
    assert len(person.walk()) == 20
    assert person.call("POST", f"/jobs/{queued['id']}/resume").status_code == 202
    job = finished(person, container, queued)
    assert (job["state"], job["done"], job["total"]) == ("succeeded", 35, 35)
    assert sorted(task["title"] for task in person.walk()) == sorted(f"task {number}" for number in range(35))
    assert_problem(person.call("POST", f"/jobs/{queued['id']}/resume"), 409)


def test_a_large_file_crosses_chunks_and_batches(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_job, "CHUNK_BYTES", 100)
    monkeypatch.setattr("app.core.jobs.service.CHUNK_BYTES", 100)
    monkeypatch.setattr(import_job, "BATCH", 7)
    content = b"title,description\n" + b"".join(b'task %d,"%s\n"\n' % (n, b"x" * (n * 7 % 300)) for n in range(60))
    job = imported(person, container, content)
    assert (job["state"], job["done"], job["refused"]) == ("succeeded", 60, 0)
    assert {len(task["description"]) - 1 for task in person.walk()} == {n * 7 % 300 for n in range(60)}


def test_an_export_contains_matching_tasks_and_no_formula(person: Person, container: Container) -> None:
    for title in ("=1+1", "plain", "-2"):
        person.create(title=title, description="@cmd", due_at="2030-01-01T00:00:00Z")
    person.create(title="other", status="done", tags=["a;b", "c"])
    person.create(title="tagged", tags=["a;b", "c"])
    job = person.call("POST", "/tasks/exports", json={"status": "todo"}).get_json()
    assert_problem(person.call("GET", f"/jobs/{job['id']}/result"), 404)
    job = finished(person, container, job)
    assert job["state"] == "succeeded"
    response = person.client.get(job["result_url"], headers={"Authorization": f"Bearer {person.access_token}"})
    assert response.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["title"] for row in rows] == ["'=1+1", "plain", "'-2", "tagged"]
    assert {row["description"] for row in rows} == {"'@cmd", ""}
    assert {row["tags"] for row in rows} == {"", '"a;b";c'}


def test_jobs_of_other_users_are_not_found(
    person: Person, new_person: Callable[[], Person], container: Container
) -> None:
    job = imported(person, container, b"title\nmine\n")
    other = new_person()
    for method, path in (
        ("GET", ""),
        ("GET", "/refused"),
        ("GET", "/result"),
        ("POST", "/cancel"),
        ("POST", "/resume"),
    ):
        assert_problem(other.call(method, f"/jobs/{job['id']}{path}"), 404)
    assert other.call("GET", "/jobs").get_json()["items"] == []
    assert other.walk() == []
