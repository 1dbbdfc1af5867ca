"""Limits of imports: missing chunks, quotas, and lists of rejected lines."""

import io
from datetime import timedelta
from typing import cast
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from app.bootstrap.container import Container
from app.core.clock import utc_now
from app.core.jobs.background import Cleaner
from app.core.jobs.model import JobKind, State
from app.core.jobs.service import ImportQuota
from app.core.jobs.tables import JobFileRow, JobRow
from app.core.retention_rules import FILES
from app.tasks import import_job
from tests.support.api import Person, assert_problem
from tests.support.retention import RULES
from tests.support.storage import storage_of

ROWS = b"title\n" + b"".join(b"task %d\n" % number for number in range(35))


def upload(person: Person, content: bytes, status: int = 202) -> str:
    response = person.call("POST", "/tasks/imports", data={"file": (io.BytesIO(content), "tasks.csv")})
    assert response.status_code == status, response.text
    return str(response.get_json().get("id", response.get_json().get("detail")))


def cancelled_half_way(person: Person, container: Container, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """Return an import of 35 rows that was cancelled after 10."""
    monkeypatch.setattr(import_job, "BATCH", 10)
    monkeypatch.setattr(import_job, "CHUNK_BYTES", 100)
    monkeypatch.setattr("app.core.jobs.service.CHUNK_BYTES", 100)
    job_id = upload(person, ROWS)
    runner = container.background.runner._by_kind["import"]
    step, calls = runner._step, 0

    def cancel(*arguments: UUID) -> bool:
        nonlocal calls
        calls += 1
        if calls == 2:
            person.call("POST", f"/jobs/{job_id}/cancel")
        return step(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(runner, "_step", cancel)
        container.background.runner.run(UUID(job_id))
    assert state(person, job_id) == ("cancelled", 10)
    return UUID(job_id)


def state(person: Person, job_id: UUID | str) -> tuple[str, int]:
    job = person.call("GET", f"/jobs/{job_id}").get_json()
    return job["state"], job["done"]


def clean(container: Container) -> None:
    Cleaner(storage_of(container), utc_now, lambda: False, RULES).run_once()


def grow_older(container: Container, job_id: UUID) -> None:
    """Backdate the upload of a job past the retention of files."""
    long_ago = utc_now() - FILES - timedelta(hours=1)
    with storage_of(container).write() as work:
        work.session.execute(update(JobFileRow).where(JobFileRow.job_id == job_id).values(at=long_ago))


@pytest.mark.parametrize("lost", [0, 2])
def test_a_resumed_import_fails_if_a_chunk_is_missing(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    job_id = cancelled_half_way(person, container, monkeypatch)
    with storage_of(container).write() as work:
        # the last chunk, or all remaining ones
        gone = JobFileRow.position >= lost
        work.session.execute(delete(JobFileRow).where(JobFileRow.job_id == job_id, gone))
    assert person.call("POST", f"/jobs/{job_id}/resume").status_code == 202
    container.background.runner.run(job_id)
    job = person.call("GET", f"/jobs/{job_id}").get_json()
    assert (job["state"], job["done"] < 35) == ("failed", True)
    assert "A part of the uploaded file is no longer there" in job["error"]


def test_an_incomplete_chunk_fails_the_import(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = cancelled_half_way(person, container, monkeypatch)
    with storage_of(container).write() as work:
        third = update(JobFileRow).where(JobFileRow.job_id == job_id, JobFileRow.position == 2)
        work.session.execute(third.values(data=b"task 9\n"))
    person.call("POST", f"/jobs/{job_id}/resume")
    container.background.runner.run(job_id)
    assert state(person, job_id)[0] == "failed"


def test_the_chunks_of_a_job_stay_while_it_can_be_resumed(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = cancelled_half_way(person, container, monkeypatch)
    grow_older(container, job_id)
    clean(container)
    assert person.call("POST", f"/jobs/{job_id}/resume").status_code == 202
    clean(container)
    container.background.runner.run(job_id)
    assert state(person, job_id) == ("succeeded", 35)


@pytest.mark.parametrize("lost", [0, 1])
def test_an_export_whose_first_chunk_is_missing_fails_or_has_no_result(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    monkeypatch.setattr("app.tasks.export_job.BATCH", 2)
    monkeypatch.setitem(
        cast(dict[str, JobKind], container.jobs.kinds), "export", JobKind("text/csv", "tasks.csv", rows_per_chunk=2)
    )
    for number in range(5):
        person.create(title=f"task {number}")
    job_id = UUID(person.call("POST", "/tasks/exports", json={}).get_json()["id"])
    if lost == 0:
        with monkeypatch.context() as patch:
            runner = container.background.runner._by_kind["export"]
            patch.setattr(runner, "_steps", lambda *ids: runner._step(*ids))
            container.background.runner.run(job_id)
        with storage_of(container).write() as work:
            work.session.execute(update(JobRow).where(JobRow.id == job_id).values(state="queued", due_at=utc_now()))
    else:
        container.background.runner.run(job_id)
    with storage_of(container).write() as work:
        work.files.delete(job_id, "result")
    container.background.runner.run(job_id)
    assert state(person, job_id)[0] == ("failed" if lost == 0 else "succeeded")
    assert_problem(person.call("GET", f"/jobs/{job_id}/result"), 404)


def test_a_job_queued_by_the_previous_release_is_run(person: Person, container: Container) -> None:
    stored = container.jobs.upload()
    stored.write(b"title,status\nMilk,done\n")
    stored.close()
    user_id = UUID(person.call("GET", "/users/me").get_json()["id"])
    job = container.jobs.queue(user_id, "import", upload=stored)
    with storage_of(container).write() as work:
        work.session.execute(update(JobRow).where(JobRow.id == job.id).values(parameters={}))
    container.background.runner.run(job.id)
    assert [task["title"] for task in person.walk()] == ["Milk"]


def test_a_rejected_file_is_reported_to_its_user_only(
    person: Person, container: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that was not validated at the upload: queued by the previous release."""
    stored = container.jobs.upload()
    stored.write(b"name\nMilk\n")
    stored.close()
    user_id = UUID(person.call("GET", "/users/me").get_json()["id"])
    job = container.jobs.queue(user_id, "import", upload=stored)
    capsys.readouterr()
    container.background.runner.run(job.id)
    said = capsys.readouterr()
    lines = [line for line in (said.out + said.err).splitlines() if "job" in line]
    assert any("job rejected" in line and "info" in line for line in lines)
    assert not any(word in line for line in lines for word in ("error", "warning", "Traceback"))
    assert container.jobs.get(user_id, job.id).state is State.FAILED
    assert "no column is the title" in (container.jobs.get(user_id, job.id).error or "")
    with storage_of(container).read() as work:
        assert work.jobs.counts()["failed"] == 0
        assert work.jobs.dead_letters(None, 10) == []
    person.call("POST", f"/jobs/{job.id}/resume")
    with storage_of(container).read() as work:
        assert work.jobs.counts() == {"queued": 1, "running": 0, "failed": 0}


def test_queued_imports_per_user_are_limited(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container.jobs, "_quota", ImportQuota(jobs=2, size=1 << 20))
    for _ in range(2):
        upload(person, b"title\nMilk\n")
    assert "2 of your imports wait or run" in upload(person, b"title\nMilk\n", 409)
    while container.inline.run_once():
        pass
    upload(person, b"title\nMilk\n")


def test_files_to_import_have_a_quota_of_bytes(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container.jobs, "_quota", ImportQuota(jobs=5, size=25))
    first = upload(person, b"title\nMilk and honey\n")
    assert "may have 25 bytes together" in upload(person, b"title\nMilk\n", 409)
    person.call("POST", f"/jobs/{first}/cancel")
    assert "may have 25 bytes together" in upload(person, b"title\nMilk\n", 409)
    person.call("POST", f"/jobs/{first}/resume")
    while container.inline.run_once():
        pass
    upload(person, b"title\nMilk\n")


def test_only_the_first_rejected_lines_are_listed_and_all_are_counted(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_job, "BATCH", 4)
    monkeypatch.setattr(import_job, "MOST_REFUSED_LINES", 6)
    monkeypatch.setattr("app.core.jobs.routes.MOST_REFUSED_LINES", 6)
    job_id = upload(person, b"title,status\n" + b"Milk,never\n" * 15 + b"Bread,done\n")
    while container.inline.run_once():
        pass
    assert person.call("GET", f"/jobs/{job_id}").get_json()["refused"] == 15
    page = person.call("GET", f"/jobs/{job_id}/refused").get_json()
    assert ([line["line"] for line in page["items"]], page["unlisted"]) == ([2, 3, 4, 5, 6, 7], 9)


def test_an_invalid_line_is_rejected_alone(person: Person, container: Container) -> None:
    wrong = {
        '"two\nlines",': "title: must be one line",
        'x,"a\nb"': "tags: must be one line of text",
        "x\x00,": "title: must be one line",
        '"x","a" "b"': "quote that does not end its cell",
        f"{'x' * 300},": "title: has more than 200",
        f"x,{'y' * 60}": "tags: at most 20",
        'x,"""a""b"': "tags: has a quote that does not end its tag",
        "x,y,z": "has 3 cells",
        "x": "has 1 cells",
    }
    content, expected, line = "title,tags\n", {}, 2
    for text, reason in wrong.items():
        content += f"{text}\ngood,home\n"
        expected[line] = reason
        line += text.count("\n") + 2
    job_id = upload(person, content.encode())
    while container.inline.run_once():
        pass
    assert state(person, job_id) == ("succeeded", 2 * len(wrong))
    assert [task["title"] for task in person.walk()] == ["good"] * len(wrong)
    refused = person.call("GET", f"/jobs/{job_id}/refused").get_json()["items"]
    assert [item["line"] for item in refused] == list(expected)
    for item in refused:
        assert expected[item["line"]] in item["reason"], item
