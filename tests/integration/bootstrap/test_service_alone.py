"""A single service: its own API and schema, and no module of another service."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import inspect

from app.bootstrap.container import build
from app.bootstrap.schema import branches
from app.bootstrap.services import SERVICES
from tests.support.content import connected
from tests.support.ports import wait_for
from tests.support.server import ROOT, environment, server
from tests.support.settings import make_settings

OWN_PATHS = {
    "auth": "/users/me",
    "tasks": "/tasks",
    "notifications": "/notifications",
    "analytics": "/statistics",
}
"""A path that only this service has, by service."""


@pytest.fixture
def token(tmp_path: Path) -> Callable[[], str]:
    """Issues access tokens of new users, like a remote auth service."""
    parts = build(make_settings(f"sqlite:///{tmp_path / 'elsewhere.sqlite'}"))

    def issue() -> str:
        return parts.platform.tokens.issue(uuid4(), uuid4(), uuid4(), "user", datetime.now(UTC))

    return issue


@pytest.mark.parametrize("service", SERVICES)
def test_no_module_of_another_service_is_loaded(service: str) -> None:
    program = (
        "import sys\n"
        "from app.bootstrap.container import build, sample_settings\n"
        "from app.bootstrap.http import create_app\n"
        "create_app(build(sample_settings(), services=(sys.argv[1],)))\n"
        "print(*sorted({name.split('.')[1] for name in sys.modules if name.startswith('app.')}))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, service], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) & set(SERVICES) == {service}


@pytest.mark.parametrize("service", SERVICES)
def test_a_database_with_its_branch_alone_is_enough(
    empty_url: str, tmp_path: Path, token: Callable[[], str], service: str
) -> None:
    variables = environment(tmp_path, empty_url, port=1)
    subprocess.run([sys.executable, "-m", "app", "migrate", "--service", service], cwd=ROOT, env=variables, check=True)
    with connected(empty_url) as database:
        there = set(inspect(database.reader).get_table_names())
    assert there == {name for branch in branches([service]) for name in branch.metadata.tables} | {"schema_revisions"}
    with server(tmp_path, empty_url, service) as running:
        client = httpx.Client(base_url=f"{running.url}/api/v1", headers={"Authorization": f"Bearer {token()}"})
        status = {name: client.get(path).status_code for name, path in OWN_PATHS.items()}
        # The auth service rejects the token: it has no such session.
        assert status == dict.fromkeys(SERVICES, 404) | {service: 401 if service == "auth" else 200}
        assert client.get("/openapi.json").status_code == 200


def test_tasks_alone_writes_reads_and_does_its_jobs(empty_url: str, tmp_path: Path, token: Callable[[], str]) -> None:
    variables = environment(tmp_path, empty_url, port=1)
    subprocess.run([sys.executable, "-m", "app", "migrate", "--service", "tasks"], cwd=ROOT, env=variables, check=True)
    with server(tmp_path, empty_url, "tasks", APP_JOB_POLL="0.1") as running:
        client = httpx.Client(base_url=f"{running.url}/api/v1", headers={"Authorization": f"Bearer {token()}"})
        made = client.post("/tasks", json={"title": "Alone"})
        assert made.status_code == 201
        task = f"/tasks/{made.json()['id']}"
        assert client.get(task).json()["title"] == "Alone"
        changed = client.patch(task, json={"status": "done"}, headers={"If-Match": made.headers["ETag"]})
        assert changed.json()["status"] == "done"
        attached = client.post(f"{task}/attachments", files={"file": ("a.txt", b"hello")})
        assert attached.status_code == 201
        job = client.post("/tasks/imports", files={"file": ("tasks.csv", b"title\nImported\n")}).json()["id"]
        wait_for(lambda: client.get(f"/jobs/{job}").json()["state"] == "succeeded", "the import is done")
        assert {item["title"] for item in client.get("/tasks").json()["items"]} == {"Alone", "Imported"}
        stranger = httpx.get(f"{running.url}/api/v1{task}", headers={"Authorization": f"Bearer {token()}"})
        assert stranger.status_code == 404


def test_migrating_one_service_after_another_gives_the_whole_schema(empty_url: str, tmp_path: Path) -> None:
    variables = environment(tmp_path, empty_url, port=1)
    for service in SERVICES:
        command = [sys.executable, "-m", "app", "migrate", "--service", service]
        subprocess.run(command, cwd=ROOT, env=variables, check=True)
    with server(tmp_path, empty_url) as running:
        assert httpx.get(f"{running.url}/health/ready").status_code == 200
