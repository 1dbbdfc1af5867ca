"""Data export: all data of the user, no secrets, nothing of other users, on both databases."""

import io
import json
from typing import Any
from zipfile import ZipFile

import pytest
from flask_openapi.openapi import OpenAPI
from PIL import Image

from app.bootstrap.container import Container
from app.core.clock import utc_now
from app.tasks import personal_data
from tests.support.api import Person, assert_problem
from tests.support.background import dispatch_events, do_jobs
from tests.support.notifications import remind_of


def copy_of(container: Container, person: Person) -> dict[str, bytes]:
    """Run a data export, and return its files."""
    asked = person.call("POST", "/users/me/export")
    assert asked.status_code == 202, asked.text
    do_jobs(container)
    job = person.call("GET", asked.headers["Location"].removeprefix("/api/v1")).get_json()
    assert job["state"] == "succeeded", job
    sent = person.call("GET", job["result_url"].removeprefix("/api/v1"))
    assert sent.mimetype == "application/zip"
    assert "my-data.zip" in sent.headers["Content-Disposition"]
    with ZipFile(io.BytesIO(sent.data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def attach(person: Person, task: str, content: bytes) -> dict[str, Any]:
    data = {"file": (io.BytesIO(content), "note.txt")}
    attached: dict[str, Any] = person.call("POST", f"/tasks/{task}/attachments", data=data).get_json()
    return attached


def test_the_export_has_all_data_of_its_user(container: Container, person: Person, app: OpenAPI) -> None:
    stranger = Person(app.test_client()).register()
    stranger.create(title="None of your business")
    remind_at = utc_now().replace(year=2031).isoformat()
    task = person.create(title="Call", description="Grace", tags=["work", "urgent"], remind_at=remind_at)
    file = attach(person, task["id"], b"some bytes")
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    person.call("PUT", "/users/me/avatar", data={"file": (io.BytesIO(picture.getvalue()), "me.png")})
    person.call("PATCH", "/notifications/preferences", json={"weekly_report": True})
    person.call("POST", "/tasks/exports", json={})
    remind_of(container, person, "Remembered")
    container.auth.admin.grant_admin(person.email)
    dispatch_events(container)

    files = copy_of(container, person.login())
    read = {name: json.loads(data) for name, data in files.items() if name.endswith(".json")}
    account = read["account.json"]
    assert (account["email"], account["name"]) == (person.email, "Somebody")
    call = next(each for each in read["tasks-0001.json"] if each["title"] == "Call")
    assert (call["description"], call["tags"]) == ("Grace", ["urgent", "work"])
    assert call["remind_at"].startswith("2031")
    assert files[f"attachments/{task['id']}/{file['id']}/note.txt"] == b"some bytes"
    assert files["picture.webp"].startswith(b"RIFF")
    assert [each["title"] for each in read["notifications.json"]] == ["Remembered"]
    assert read["mail-preferences.json"]["preferences"]["weekly_report"] is True
    assert read["mail-preferences.json"]["recipient"]["email"] == person.email
    assert sum(day["created"] for day in read["statistics.json"]) == 2
    assert {job["kind"] for job in read["jobs.json"]} == {"export", "data-export"}
    assert [entry["action"] for entry in read["audit.json"]] == ["user.role"]
    assert "remote" not in read["audit.json"][0], "where an administrator acted from is not the user's to know"
    assert len(read["sessions.json"]) == 2
    whole = b"".join(files.values())
    for secret in (b"None of your business", b"password_hash", b"argon2", b"secret"):
        assert secret not in whole


def test_many_tasks_and_files_are_exported_in_several_steps(
    container: Container, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal_data, "PAGE", 2)
    monkeypatch.setattr(personal_data, "MOST_BYTES", 10)
    tasks = [person.create(title=f"Task {number}")["id"] for number in range(5)]
    for number in range(5):
        attach(person, tasks[number], b"x" * 6)
    files = copy_of(container, person)
    named = [name for name in files if name.startswith("tasks-")]
    assert named == ["tasks-0001.json", "tasks-0002.json", "tasks-0003.json"]
    found = [task["id"] for name in named for task in json.loads(files[name])]
    assert found == tasks
    assert sum(name.startswith("attachments/") for name in files) == 5


def test_one_export_runs_at_a_time(container: Container, person: Person) -> None:
    first = person.call("POST", "/users/me/export").get_json()
    assert person.call("POST", "/users/me/export").get_json()["id"] == first["id"]
    do_jobs(container)
    assert person.call("POST", "/users/me/export").get_json()["id"] != first["id"]


def test_an_export_is_private_to_its_user(container: Container, person: Person, app: OpenAPI) -> None:
    job = person.call("POST", "/users/me/export").get_json()
    do_jobs(container)
    stranger = Person(app.test_client()).register()
    assert_problem(stranger.call("GET", f"/jobs/{job['id']}/result"), 404)


def test_a_user_without_data_gets_an_export_too(container: Container, person: Person) -> None:
    files = copy_of(container, person)
    assert json.loads(files["tasks-0001.json"]) == []
    assert "README.txt" in files
