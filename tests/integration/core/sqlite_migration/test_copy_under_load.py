"""Migration from SQLite to PostgreSQL while clients read and write, without a failed or stale response."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select

from app.core.database.engine import connect
from app.core.sqlite_migration.change_capture import CHANGES
from app.tasks.tables import TaskRow
from tests.support.draining import Service
from tests.support.ports import wait_for
from tests.support.server import ROOT, Server, environment, server
from tests.support.settings import make_settings

RATE = 20
"""Writes per second, and as many reads."""

WRITERS = 4

OTHERS = 30_000
"""Tasks of other users: copying them takes long enough to kill the copy meanwhile."""


class Clients:
    """Clients of a service that open a connection for each request, without retries."""

    def __init__(self, service: Service, token: str) -> None:
        self._service = service
        self._token = token
        self._running = True
        self.created: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.stale: list[str] = []

    def run(self) -> None:
        """Repeatedly create a task and check that it is in the list."""
        while self._running:
            began = time.monotonic()
            answer = self.ask("POST", "/tasks", json={"title": f"Task {uuid4()}"})
            if answer is not None and answer.status_code == 201:
                made = answer.json()["id"]
                self.created.append(made)
                listed = self.ask("GET", "/tasks?limit=100")
                if listed is not None and made not in {task["id"] for task in listed.json()["items"]}:
                    self.stale.append(made)
            time.sleep(max(0.0, WRITERS / RATE - (time.monotonic() - began)))

    def go_on(self, what: str) -> None:
        """Wait until more tasks have been created."""
        until_now = len(self.created)
        wait_for(lambda: len(self.created) > until_now + 2 * RATE, what)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        try:
            answer = httpx.request(
                method,
                f"http://127.0.0.1:{self._service.port}/api/v1{path}",
                headers={"Authorization": f"Bearer {self._token}"},
                timeout=30,
                **more,
            )
        except httpx.HTTPError as error:
            self.outcomes[type(error).__name__] += 1
            return None
        self.outcomes[f"{method} {answer.status_code}"] += 1
        return answer

    @contextmanager
    def at_work(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.run) for _ in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._running = False
            for thread in threads:
                thread.join()


def logged_in(url: str) -> dict[str, str]:
    """Register a user, and return their tokens."""
    account = {"email": f"{uuid4().hex}@example.org", "password": uuid4().hex}
    with httpx.Client(base_url=f"{url}/api/v1") as client:
        client.post("/auth/register", json={**account, "name": "Ada"}).raise_for_status()
        tokens: dict[str, str] = client.post("/auth/login", json=account).raise_for_status().json()
    return tokens


@contextmanager
def heir(folder: Path, url: str) -> Iterator[Server]:
    """Run a server on PostgreSQL that waits for the data: it is up when the block begins, and not ready."""
    with server(folder, url, state="live", APP_DATABASE_INHERITS="true", APP_TRUSTED_HOPS="1") as it:
        yield it


def celery_transport(file: Path, url: str, to: Server) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "app", "carry", str(file), "--to", to.url]
    variables = environment(file.parent, url, port=1)
    return subprocess.Popen(
        command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def copies(file: Path) -> bool:
    """Return whether a copy is running."""
    with closing(sqlite3.connect(file)) as connection:
        return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (CHANGES,)).fetchone())


def repeat_task(file: Path, number: int) -> None:
    """Insert copies of an existing task for other users."""
    other = {"id": "lower(hex(randomblob(16)))", "user_id": "lower(hex(randomblob(16)))", "title": "'Of others'"}
    names = TaskRow.__table__.columns.keys()
    values = ", ".join(other.get(name, f"t.{name}") for name in names)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?)"  # noqa: S608
            f" INSERT INTO tasks ({', '.join(names)}) SELECT {values} FROM numbers, (SELECT * FROM tasks LIMIT 1) AS t",
            (number,),
        )


@pytest.fixture
def file(migrated_sqlite: bytes, tmp_path: Path) -> Path:
    made = tmp_path / "tasks.sqlite"
    made.write_bytes(migrated_sqlite)
    return made


def test_clients_notice_neither_the_migration_nor_a_killed_copy(file: Path, tmp_path: Path, postgres_url: str) -> None:
    with server(tmp_path, f"sqlite:///{file}") as former, heir(tmp_path, postgres_url) as new:
        tokens = logged_in(former.url)
        service = Service(former.port)
        clients = Clients(service, tokens["access_token"])
        named = {"Idempotency-Key": str(uuid4()), "Authorization": f"Bearer {tokens['access_token']}"}

        def once(of: Server) -> str:
            answer = httpx.post(f"{of.url}/api/v1/tasks", json={"title": "Once"}, headers=named).raise_for_status()
            return str(answer.json()["id"])

        first = once(former)
        repeat_task(file, OTHERS)
        with clients.at_work():
            clients.go_on("the clients are at work")
            assert httpx.get(f"{new.url}/health/ready").status_code == 503
            with celery_transport(file, postgres_url, new) as killed:
                wait_for(lambda: copies(file), "the carrier copies")
                killed.kill()
            assert killed.returncode == -signal.SIGKILL
            clients.go_on("they are still at work")
            assert httpx.get(f"{new.url}/health/ready").status_code == 503
            with celery_transport(file, postgres_url, new) as done:
                said, _ = done.communicate(timeout=120)
            assert done.returncode == 0, said
            wait_for(lambda: httpx.get(f"{new.url}/health/ready").status_code == 200, "the new server is ready")
            clients.go_on("the former server hands on")
            # An autoscaler that scales out during a rollout may start one more pod of the former release.
            with server(tmp_path, f"sqlite:///{file}") as late:
                service.port = late.port
                clients.go_on("a former server that starts late hands on")
                service.port = new.port
                clients.go_on("the clients have been led to the new server")
        assert once(new) == first == once(former)
        refreshed = httpx.post(f"{new.url}/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        assert refreshed.status_code == 200
    assert set(clients.outcomes) == {"POST 201", "GET 200"}, clients.outcomes
    assert clients.stale == []
    database = connect(make_settings(postgres_url))
    with database.reader.begin() as connection:
        kept = Counter(connection.execute(select(TaskRow.id)).scalars())
        of_others = connection.scalar(select(func.count()).where(TaskRow.title == "Of others"))
    database.dispose()
    assert of_others == OTHERS
    assert kept.keys() >= {UUID(key) for key in (*clients.created, first)}
    assert kept.total() == OTHERS + len(clients.created) + 1
