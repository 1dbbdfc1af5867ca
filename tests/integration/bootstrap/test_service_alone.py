"""A single service: its own API and schema, and no module of another service."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import inspect

from app.bootstrap.container import build, sample_settings
from app.bootstrap.http import create_app
from app.bootstrap.schema import branches
from app.bootstrap.services import FRONT_END, SERVICES
from app.core.http import openapi
from app.core.security.keys import derive, signature_key
from tests.support.content import connected
from tests.support.issuer import Issuer
from tests.support.ports import wait_for
from tests.support.server import ROOT, SECRET, environment, server
from tests.support.settings import make_settings

OWN_PATHS = {
    "auth": "/users/me",
    "tasks": "/tasks",
    "notifications": "/notifications",
    "analytics": "/statistics",
}
"""A path that only this service has, by service."""


@pytest.fixture
def token() -> Callable[[], str]:
    """Issues access tokens of new users, like a remote auth service."""
    return Issuer(signature_key(SECRET)).token


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
    migrate(empty_url, tmp_path, service)
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
    migrate(empty_url, tmp_path, "tasks")
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
        downloaded = httpx.get(f"{running.url}{attached.json()['url']}")
        assert (downloaded.status_code, downloaded.text) == (200, "hello")
        assert downloaded.url.params["service"] == "tasks", "a gateway routes by it"
        job = client.post("/tasks/imports", files={"file": ("tasks.csv", b"title\nImported\n")}).json()["id"]
        wait_for(lambda: client.get(f"/jobs/{job}").json()["state"] == "succeeded", "the import is done")
        assert {item["title"] for item in client.get("/tasks").json()["items"]} == {"Alone", "Imported"}
        stranger = httpx.get(f"{running.url}/api/v1{task}", headers={"Authorization": f"Bearer {token()}"})
        assert stranger.status_code == 404


def test_tasks_alone_serves_the_front_end_and_the_documentation_of_the_whole_api(
    empty_url: str, tmp_path: Path
) -> None:
    migrate(empty_url, tmp_path, FRONT_END)
    with server(tmp_path, empty_url, FRONT_END) as running:
        page = httpx.get(running.url)
        assert page.status_code == 200
        [script] = re.findall(r'src="(/static/[^"]+\.js)"', page.text)
        assert httpx.get(f"{running.url}{script}").status_code == 200
        document = httpx.get(f"{running.url}/api/v1/openapi.json").json()
    whole = openapi.document(create_app(build(sample_settings())))
    tags = document.pop("tags")
    assert {tag["name"] for tag in tags} == {tag["name"] for tag in whole.pop("tags")}
    assert document == json.loads(json.dumps(whole))


def test_migrating_one_service_after_another_gives_the_whole_schema(empty_url: str, tmp_path: Path) -> None:
    migrate(empty_url, tmp_path, *SERVICES)
    with server(tmp_path, empty_url) as running:
        assert httpx.get(f"{running.url}/health/ready").status_code == 200


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "auth"])
def test_a_service_without_auth_derives_no_key_that_signs(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    purposes: list[str] = []

    def recorded(secret: str, purpose: str) -> bytes:
        purposes.append(purpose)
        return derive(secret, purpose)

    for module in ("app.core.security.keys", "app.bootstrap.platform"):
        monkeypatch.setattr(f"{module}.derive", recorded)
    settings = make_settings("sqlite:///:memory:")
    platform = build(settings, services=(service,)).platform
    assert "file-address" in purposes
    assert "access-token-ed25519" not in purposes
    with pytest.raises(TypeError, match="auth service"):
        _ = platform.issuer
    build(settings, services=("auth",))
    assert "access-token-ed25519" in purposes, "auth does, and it is seen"


def test_a_service_and_auth_have_secrets_of_their_own(empty_url: str, tmp_path: Path) -> None:
    """Log-in at auth, then tasks; no secret of one opens anything at the other."""
    own = {"APP_SECRET_KEY": "the-secret-of-tasks-alone-0123456789-ABCDEFG"}
    migrate(empty_url, tmp_path, "auth", "tasks")
    with server(tmp_path, empty_url, "auth") as auth:
        url = f"{auth.url}/.well-known/jwks.json"
        with server(tmp_path, empty_url, "tasks", APP_JWKS_URL=url, **own) as tasks:
            account = {"email": "grace@example.org", "password": "correct horse battery"}
            httpx.post(f"{auth.url}/api/v1/auth/register", json={**account, "name": "Grace"}).raise_for_status()
            pair = httpx.post(f"{auth.url}/api/v1/auth/login", json=account).raise_for_status().json()
            client = httpx.Client(base_url=f"{tasks.url}/api/v1")
            client.headers["Authorization"] = f"Bearer {pair['access_token']}"
            assert client.get("/tasks").status_code == 200
            forged = Issuer(signature_key(own["APP_SECRET_KEY"])).token()
            assert client.get("/tasks", headers={"Authorization": f"Bearer {forged}"}).status_code == 401
            auth.process.kill()
            auth.process.wait(5)
            assert client.get("/tasks").status_code == 200, "who has a token works on"


def test_while_no_key_was_ever_fetched_the_answer_is_to_try_again(
    empty_url: str, tmp_path: Path, token: Callable[[], str]
) -> None:
    migrate(empty_url, tmp_path, "tasks")
    with server(tmp_path, empty_url, "tasks", APP_JWKS_URL="http://127.0.0.1:9/jwks.json") as running:
        headers = {"Authorization": f"Bearer {token()}"}
        refused = httpx.get(f"{running.url}/api/v1/tasks", headers=headers)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
        headers = {"Authorization": "Bearer a.b.c"}
        assert httpx.get(f"{running.url}/api/v1/tasks", headers=headers).status_code == 401


def migrate(url: str, folder: Path, *services: str) -> None:
    for service in services:
        command = [sys.executable, "-m", "app", "migrate", "--service", service]
        subprocess.run(command, cwd=ROOT, env=environment(folder, url, port=1), check=True)
