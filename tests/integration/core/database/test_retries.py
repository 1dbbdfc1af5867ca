"""Every action of a client or worker happens once when its connection to PostgreSQL is cut before its COMMIT."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import event, text

from app.auth.admin import Actor
from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.core.security.roles import Role
from tests.support.api import PASSWORD, Person
from tests.support.postgres import Postgres
from tests.support.settings import make_settings


@dataclass
class Scene:
    parts: Container
    person: Person

    @property
    def user_id(self) -> Any:
        return self.parts.platform.tokens.verify(self.person.access_token).user_id

    def call(self, method: str, path: str, status: int, **options: Any) -> Any:
        answer = self.person.call(method, path, **options)
        assert answer.status_code == status, answer.text
        return answer.get_json(silent=True)

    def count(self, table: str, where: str = "true") -> int:
        with self.parts.database.reader.connect() as connection:
            return int(connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}")) or 0)  # noqa: S608 ours


@pytest.fixture
def scene(postgres_url: str) -> Iterator[Scene]:
    parts = build(make_settings(postgres_url))
    yield Scene(parts, Person(create_app(parts).test_client()).register())
    parts.database.dispose()


@pytest.fixture
def cut_before(scene: Scene, postgres: Postgres) -> Callable[[str], list[str]]:
    """Terminate the server process of the first connection that is about to run a given statement."""

    def cut(statement: str) -> list[str]:
        cuts: list[str] = []

        @event.listens_for(scene.parts.database.reader, "before_cursor_execute")
        def cut_once(connection: Any, _cursor: Any, about: str, *_more: Any) -> None:
            if not cuts and statement in about:
                cuts.append(about)
                backend = connection.connection.dbapi_connection.info.backend_pid
                postgres.execute(f"SELECT pg_terminate_backend({backend}, 5000)")

        return cuts

    return cut


def register(scene: Scene) -> None:
    Person(scene.person.client).register()
    assert scene.count("users") == 2


def log_in(scene: Scene) -> None:
    scene.person.login()
    assert scene.count("sessions") == 2
    assert scene.count("refresh_tokens") == 2


def refresh(scene: Scene) -> None:
    assert scene.person.refresh().status_code == 200
    assert scene.count("refresh_tokens") == 2
    scene.call("GET", "/users/me", 200)


def log_out(scene: Scene) -> None:
    scene.call("POST", "/auth/logout", 204, json={"refresh_token": scene.person.refresh_token})
    assert scene.count("sessions", "revoked_at IS NULL") == 0


def change_password(scene: Scene) -> None:
    scene.parts.auth.service.change_password(scene.user_id, scene.user_id, PASSWORD, "another correct horse")
    assert scene.parts.auth.service.login(scene.person.email, "another correct horse")


def rename(scene: Scene) -> None:
    scene.call("PATCH", "/users/me", 200, json={"name": "Somebody else"})
    assert scene.count("outbox", "name LIKE 'user.%'") == 2


def attach(scene: Scene) -> None:
    task = scene.person.create()["id"]
    file = {"file": (BytesIO(b"bytes"), "notes.txt")}
    scene.call("POST", f"/tasks/{task}/attachments", 201, data=file)
    assert len(scene.call("GET", f"/tasks/{task}/attachments", 200)["items"]) == 1
    assert scene.count("objects", "loose_from IS NULL") == scene.count("objects") == 1


def administer(scene: Scene) -> None:
    scene.parts.auth.admin.update(Actor(None, ""), scene.user_id, role=Role.ADMIN)
    assert scene.count("audit_log") == 1


def export(scene: Scene) -> None:
    scene.person.create()
    job = scene.call("POST", "/tasks/exports", 202, json={})["id"]
    scene.parts.background.runner.run(job)
    assert scene.count("jobs", "state = 'succeeded' AND error IS NULL") == 1


@pytest.mark.parametrize(
    ("action", "before"),
    [
        (register, "INSERT INTO users"),
        (log_in, "FROM users"),
        (log_in, "INSERT INTO sessions"),
        (refresh, "INSERT INTO refresh_tokens"),
        (log_out, "UPDATE sessions"),
        (change_password, "UPDATE users"),
        (rename, "UPDATE users"),
        (attach, "INSERT INTO objects"),
        (attach, "INSERT INTO object_pieces"),
        (attach, "INSERT INTO attachments"),
        (attach, "FROM attachments"),
        (administer, "INSERT INTO audit_log"),
        (export, "INSERT INTO jobs"),
        (export, "INSERT INTO job_files"),
        (export, "UPDATE jobs"),
    ],
)
def test_the_action_happens_once(
    scene: Scene, cut_before: Callable[[str], list[str]], action: Callable[[Scene], None], before: str
) -> None:
    cuts = cut_before(before)
    action(scene)
    assert len(cuts) == 1
