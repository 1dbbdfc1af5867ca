"""A full disk: writes are rejected with a reason, reads go on, and imports resume when there is room."""

import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.core.jobs.tables import JobFileRow
from app.tasks import import_job
from tests.support.api import Person, assert_problem
from tests.support.ports import wait_for
from tests.support.postgres import NOBODY, Postgres
from tests.support.settings import make_settings
from tests.support.storage import storage_of
from tests.support.workers import effects

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")

SIZE, MORE = "48m", "400m"


class Disk:
    """A disk for databases, of a size that can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def mounted(self) -> Iterator["Disk"]:
        self._mount(f"size={SIZE},uid={NOBODY},gid={NOBODY},mode=700")
        try:
            yield self
        finally:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    def grow(self) -> None:
        self._mount(f"remount,size={MORE}")

    def _mount(self, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)], check=True)


@pytest.fixture
def disk(postgres: Postgres) -> Iterator[Disk]:
    folder = postgres.folder / f"disk-{uuid4().hex}"
    folder.mkdir()
    with Disk(folder).mounted() as mounted:
        yield mounted


@pytest.fixture
def parts(postgres: Postgres, disk: Disk) -> Iterator[Container]:
    name = f"small_{uuid4().hex}"
    postgres.execute(f"CREATE TABLESPACE {name} LOCATION '{disk.folder}'")
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY FILE_COPY TABLESPACE {name}")
    built = build(make_settings(postgres.url(name), job_backoff=0.01))
    yield built
    built.database.dispose()
    # shown when a test has failed
    sys.stdout.write((postgres.folder / "log").read_text()[-10_000:])
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
    postgres.execute(f"DROP TABLESPACE {name}")


@pytest.fixture
def person(parts: Container) -> Person:
    return Person(create_app(parts).test_client()).register()


def upload(person: Person, titles: list[str], characters: int) -> Any:
    """Import tasks whose descriptions no database can make smaller."""
    content = "title,description\n" + "".join(f"{title},{token_hex(characters // 2)}\n" for title in titles)
    return person.call("POST", "/tasks/imports", data={"file": (io.BytesIO(content.encode()), "tasks.csv")})


def test_a_file_that_does_not_fit_is_refused_and_nothing_of_it_is_kept(
    person: Person, parts: Container, disk: Disk
) -> None:
    acknowledged = person.create()["title"]
    answer = upload(person, [f"task {number}" for number in range(10_000)], 8000)
    assert_problem(answer, 503)
    assert answer.get_json()["detail"] == "The database has no room left."
    assert [task["title"] for task in person.walk()] == [acknowledged]
    assert person.call("GET", "/jobs").get_json()["items"] == []
    with storage_of(parts).read() as work:
        assert work.session.scalar(select(func.count()).select_from(JobFileRow)) == 0
    disk.grow()
    assert person.call("POST", "/tasks", json={"title": "After"}).status_code == 201


def test_an_import_that_runs_out_of_room_goes_on_when_there_is_some(
    person: Person, parts: Container, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_job, "BATCH", 500)
    titles = [f"task {number}" for number in range(3000)]
    job = upload(person, titles, 8000).get_json()

    def ended() -> dict[str, Any]:
        """Let the job go on until it has ended."""
        body: dict[str, Any] = {}

        def has_ended() -> bool:
            parts.inline.run_once()
            body.update(person.call("GET", f"/jobs/{job['id']}").get_json())
            return body["state"] in {"succeeded", "failed"}

        wait_for(has_ended, "the job ends")
        return body

    stopped = ended()
    assert (stopped["state"], stopped["error"]) == ("failed", "The database has no room left.")
    assert stopped["done"] < len(titles)
    disk.grow()
    assert person.call("POST", f"/jobs/{job['id']}/resume").status_code == 202
    assert ended()["state"] == "succeeded"
    assert effects(parts.database) == Counter(titles)
