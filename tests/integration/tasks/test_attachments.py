"""Attachments of tasks, on both databases: upload, download, limits and cleanup."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.bootstrap.container import Container
from app.core.objects import file_service
from app.core.objects.model import CHUNK_BYTES
from app.core.objects.tables import ObjectChunkRow, ObjectRow
from app.tasks import attachment_routes
from app.tasks.attachments import MOST_ATTACHMENTS
from app.tasks.tables import AttachmentUsageRow
from tests.support.api import Person, assert_problem

PNG = b"\x89PNG\r\n\x1a\nno more than a beginning"


def attach(
    person: Person, task: dict[str, Any], content: bytes = b"text", name: str = "notes.txt", **more: Any
) -> TestResponse:
    data = {"file": (io.BytesIO(content), name), **more}
    return person.call("POST", f"/tasks/{task['id']}/attachments", data=data)


def attached(person: Person, task: dict[str, Any], content: bytes = b"text", name: str = "notes.txt") -> dict[str, Any]:
    response = attach(person, task, content, name)
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.get_json()
    return body


def count(container: Container, table: type[Any]) -> int:
    with container.database.reader.begin() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def used(container: Container) -> int | None:
    with container.database.reader.begin() as connection:
        return connection.scalar(select(AttachmentUsageRow.bytes))


def test_a_file_is_attached_listed_downloaded_and_deleted(person: Person, container: Container) -> None:
    task = person.create()
    content = bytes(range(256)) * (CHUNK_BYTES // 200)  # more than a chunk
    attachment = attached(person, task, content, "Übersicht.bin")
    assert (attachment["name"], attachment["size"]) == ("Übersicht.bin", len(content))
    assert attachment["content_type"] == "application/octet-stream"
    listed = person.call("GET", f"/tasks/{task['id']}/attachments").get_json()["items"]
    assert listed == [attachment]
    assert person.call("GET", f"/tasks/{task['id']}/attachments/{attachment['id']}").get_json() == attachment
    assert_problem(person.call("GET", f"/tasks/{person.create()['id']}/attachments/{attachment['id']}"), 404)
    shown = person.call("GET", f"/tasks/{task['id']}")
    assert (shown.get_json()["attachments"], shown.headers["ETag"]) == (1, '"2"')
    assert shown.get_json() in person.walk()

    download = person.client.get(attachment["url"])  # without authentication
    assert download.data == content
    assert download.headers["Content-Length"] == str(len(content))
    assert download.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%C3%9Cbersicht.bin")
    assert download.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in download.headers["Content-Security-Policy"]

    assert person.call("DELETE", f"/tasks/{task['id']}/attachments/{attachment['id']}").status_code == 204
    assert person.call("GET", f"/tasks/{task['id']}/attachments").get_json()["items"] == []
    assert person.call("GET", f"/tasks/{task['id']}").get_json()["attachments"] == 0
    assert_problem(person.client.get(attachment["url"]), 404)
    assert (count(container, ObjectRow), count(container, ObjectChunkRow), used(container)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("content", "name", "kind", "kept"),
    [
        (PNG, "page.html", "image/png", "page.html"),
        (b"<script>alert(1)</script>", "picture.png", "text/plain", "picture.png"),
        (b"<svg onload=alert(1)/>", "../../etc/x.svg", "text/plain", "x.svg"),
        (b"MZ\x90\0", "photo\u202egpj.exe", "application/octet-stream", "photogpj.exe"),
        ("é".encode() * 4000, " .a\x07b.txt", "text/plain", "ab.txt"),
    ],
)
def test_name_and_type_are_not_what_the_client_claims(
    person: Person, content: bytes, name: str, kind: str, kept: str
) -> None:
    attachment = attached(person, person.create(), content, name)
    assert (attachment["content_type"], attachment["name"]) == (kind, kept)
    assert person.client.get(attachment["url"]).mimetype == kind


def test_a_file_that_is_too_large_is_rejected(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachment_routes, "LIMIT", 1000)
    task = person.create()
    assert attach(person, task, b"x" * 1000).status_code == 201
    for size in (1001, 200_000):
        assert_problem(attach(person, task, b"x" * size), 413)
    assert (count(container, ObjectRow), used(container)) == (1, 1000)


def test_a_form_of_anything_but_one_file_is_rejected(person: Person) -> None:
    task = person.create()
    path = f"/tasks/{task['id']}/attachments"
    assert_problem(attach(person, task, b""), 422)
    assert_problem(attach(person, task, more="field"), 422)
    assert_problem(person.call("POST", path, data={"other": (io.BytesIO(b"x"), "x")}), 422)
    assert_problem(person.call("POST", path, data={"file": "no file"}, content_type="multipart/form-data"), 422)
    assert_problem(person.call("POST", path, data=b"garbage", content_type="multipart/form-data; boundary=x"), 422)
    assert_problem(person.call("POST", path, json={"file": "x"}), 415)
    assert_problem(attach_compressed(person, path), 415)
    assert person.call("GET", path).get_json()["items"] == []


def attach_compressed(person: Person, path: str) -> TestResponse:
    headers = {"Content-Encoding": "gzip"}
    return person.call("POST", path, data={"file": (io.BytesIO(b"x"), "x")}, headers=headers)


def test_the_attachments_of_a_task_are_limited(person: Person, container: Container) -> None:
    task = person.create()
    for _ in range(MOST_ATTACHMENTS):
        attached(person, task)
    assert_problem(attach(person, task), 422)
    assert count(container, ObjectRow) == MOST_ATTACHMENTS


def test_concurrent_uploads_do_not_exceed_the_quota(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container.tasks.attachments, "_quota", 500)
    tasks = [person.create() for _ in range(4)]
    app = person.client.application

    def upload(number: int) -> int:
        somebody = Person(app.test_client(), access_token=person.access_token)
        return attach(somebody, tasks[number % 4], b"x" * 100).status_code

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(upload, range(12))) == [201] * 5 + [422] * 7
    assert (used(container), count(container, ObjectRow)) == (500, 5)
    assert sum(task["attachments"] for task in person.walk()) == 5


@pytest.mark.parametrize("many", [False, True])
def test_a_deleted_task_takes_its_files_with_it(person: Person, container: Container, many: bool) -> None:
    kept, gone = person.create(), person.create()
    stays = attached(person, kept)
    goes = [attached(person, gone), attached(person, gone)]
    if many:
        person.call("POST", "/tasks/bulk", json={"ids": [gone["id"]], "action": "delete"})
    else:
        person.call("DELETE", f"/tasks/{gone['id']}")
    for attachment in goes:
        assert_problem(person.client.get(attachment["url"]), 404)
    container.platform.file_store.sweep()
    assert person.client.get(stays["url"]).data == b"text"
    assert (count(container, ObjectRow), count(container, ObjectChunkRow), used(container)) == (1, 1, 4)


def test_files_of_other_users_are_not_found(person: Person, new_person: Callable[[], Person]) -> None:
    """V8.2.2: objects of other users look like unknown ones."""
    other = new_person()
    task, mine = other.create(), person.create()
    attachment = attached(other, task)
    never = {"id": str(uuid4())}
    assert_problem(person.call("GET", f"/tasks/{task['id']}/attachments"), 404)
    theirs, unknown = (assert_problem(attach(person, one), 404)["detail"] for one in (task, never))
    assert theirs == unknown
    for path in (f"/tasks/{task['id']}", f"/tasks/{mine['id']}", f"/tasks/{never['id']}"):
        assert_problem(person.call("DELETE", f"{path}/attachments/{attachment['id']}"), 404)
    another = other.create()
    assert_problem(other.call("DELETE", f"/tasks/{another['id']}/attachments/{attachment['id']}"), 404)
    for nonsense in ("x", str(uuid4())):
        assert_problem(other.call("DELETE", f"/tasks/{task['id']}/attachments/{nonsense}"), 404)
    assert other.call("GET", f"/tasks/{task['id']}/attachments").get_json()["items"] == [attachment]


def test_a_signed_url_is_valid_for_its_file_and_lifetime(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V14.2.x: private files can't be reached by guessing."""
    task = person.create()
    url, other = (attached(person, task)["url"] for _ in range(2))
    path, _, query = url.partition("?")
    expires, signature = (part.partition("=")[2] for part in query.split("&"))
    later = int(expires) + 3600
    for wrong in (
        f"{other.partition('?')[0]}?{query}",
        f"{path}?expires={later}&signature={signature}",
        f"{path}?expires={expires}&signature={signature[:-2]}xx",
        f"{path}?expires={expires}&signature=é",
        f"/api/v1/files/nonsense?{query}",
        f"/api/v1/files/{uuid4()}?{query}",
    ):
        assert_problem(person.client.get(wrong), 404)
    assert_problem(person.client.get(path), 422)
    assert person.client.get(url).status_code == 200
    clock = container.platform.signed_urls._clock
    monkeypatch.setattr(container.platform.signed_urls, "_clock", lambda: clock() + timedelta(minutes=59))
    assert person.client.get(url).status_code == 200
    monkeypatch.setattr(container.platform.signed_urls, "_clock", lambda: clock() + timedelta(hours=2, seconds=1))
    assert_problem(person.client.get(url), 404)


def test_the_file_of_an_interrupted_upload_is_swept(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = person.create()

    class Crash(BaseException):
        pass

    def crash(*_arguments: Any) -> None:
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(container.tasks.attachments, "_count", crash)
        broken.setattr(container.platform.file_store, "sweep", crash)  # the process also dies before its cleanup
        broken.setattr("app.core.objects.repository.SqlObjects.expire_unlinked", crash)
        with pytest.raises(Crash):
            attach(person, task)
    assert (count(container, ObjectRow), count(container, ObjectChunkRow), used(container)) == (1, 1, None)
    container.platform.file_store.sweep()
    assert count(container, ObjectRow) == 1  # the upload may still be running
    clock = container.platform.file_store._clock
    monkeypatch.setattr(container.platform.file_store, "_clock", lambda: clock() + file_service.UPLOAD_TIME)
    container.platform.file_store.sweep()
    assert (count(container, ObjectRow), count(container, ObjectChunkRow)) == (0, 0)
