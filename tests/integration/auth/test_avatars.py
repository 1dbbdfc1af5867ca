"""Avatars over HTTP, on both databases."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.auth import avatar_routes
from app.bootstrap.container import Container
from app.core.objects.tables import ObjectRow
from tests.support.api import Person, assert_problem


def picture(colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(file, "PNG")
    return file.getvalue()


def send(person: Person, content: bytes) -> TestResponse:
    return person.call("PUT", "/users/me/avatar", data={"file": (io.BytesIO(content), "me.png")})


def stored_files(container: Container) -> int:
    with container.database.reader.begin() as connection:
        return connection.scalar(select(func.count()).select_from(ObjectRow)) or 0


def test_an_account_shows_its_picture_until_it_is_taken_away(person: Person, container: Container) -> None:
    assert person.call("GET", "/users/me").get_json()["avatar_url"] is None
    shown = send(person, picture()).get_json()
    assert person.call("GET", "/users/me").get_json() == shown
    assert person.call("PATCH", "/users/me", json={"name": "Other"}).get_json()["avatar_url"] == shown["avatar_url"]
    download = person.client.get(shown["avatar_url"])
    assert download.mimetype == "image/webp"
    assert Image.open(io.BytesIO(download.data)).size == (256, 256)

    second = send(person, picture("blue")).get_json()["avatar_url"]
    assert_problem(person.client.get(shown["avatar_url"]), 404)
    assert person.client.get(second).status_code == 200

    for _ in range(2):
        assert person.call("DELETE", "/users/me/avatar").status_code == 204
    assert person.call("GET", "/users/me").get_json()["avatar_url"] is None
    assert_problem(person.client.get(second), 404)
    assert stored_files(container) == 0


def test_a_file_that_is_no_picture_is_rejected_and_the_avatar_stays(
    person: Person, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = send(person, picture()).get_json()["avatar_url"]
    assert_problem(send(person, b"<svg/>"), 422)
    assert_problem(send(person, b""), 422)
    assert_problem(person.call("PUT", "/users/me/avatar", json={"url": "http://127.0.0.1/secret"}), 415)
    monkeypatch.setattr(avatar_routes, "LIMIT", 10)
    assert_problem(send(person, picture()), 413)
    assert person.call("GET", "/users/me").get_json()["avatar_url"] == url
    assert stored_files(container) == 1


def test_of_concurrent_avatar_uploads_one_stays(person: Person, container: Container) -> None:
    app = person.client.application

    def one(colour: str) -> int:
        return send(Person(app.test_client(), access_token=person.access_token), picture(colour)).status_code

    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(one, ["red", "green", "blue"] * 3)) == {200}
    container.platform.file_store.sweep()
    assert stored_files(container) == 1
    assert person.client.get(person.call("GET", "/users/me").get_json()["avatar_url"]).status_code == 200


def test_an_avatar_belongs_to_its_account(person: Person, new_person: Callable[[], Person]) -> None:
    other = new_person()
    url = send(other, picture()).get_json()["avatar_url"]
    assert person.call("DELETE", "/users/me/avatar").status_code == 204
    assert person.call("GET", "/users/me").get_json()["avatar_url"] is None
    assert other.client.get(url).status_code == 200
