"""`python -m app`: output and exit status."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from app.core.sqlite_migration.handover import HandoverLock
from app.core.version import version
from tests.support.ports import free_port, wait_for
from tests.support.server import ROOT, environment


def run(arguments: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("APP_")}
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        check=False,
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def assert_one_line(result: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    assert result.returncode == status, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("error: ")
    for word in words:
        assert word in result.stderr


def test_version_is_that_of_the_project(tmp_path: Path) -> None:
    assert run(["version"], tmp_path).stdout == f"{version()}\n"


def test_openapi_prints_the_document_without_any_setting(tmp_path: Path) -> None:
    result = run(["openapi"], tmp_path)
    assert "/api/v1/tasks" in json.loads(result.stdout)["paths"], result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "migrate"])
@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, ["APP_SECRET_KEY"]),
        ({"APP_SECRET_KEY": "short"}, ["APP_SECRET_KEY", "32 bytes"]),
        ({"APP_PORT": "http", "APP_THREADS": "0"}, ["APP_PORT", "APP_THREADS"]),
        ({"APP_DATABASE_URL": "mysql://root:hunter2@db/tasks"}, ["APP_DATABASE_URL", "postgresql+psycopg2://"]),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(
    tmp_path: Path, command: str, variables: dict[str, str], words: list[str]
) -> None:
    result = run([command], tmp_path, **variables)
    assert_one_line(result, 2, *words)
    assert "hunter2" not in result.stderr


@pytest.mark.parametrize("service", ["tasks", "notifications", "analytics"])
def test_a_service_without_auth_wants_the_url_of_the_keys_in_one_line(tmp_path: Path, service: str) -> None:
    variables = environment(tmp_path, f"sqlite:///{tmp_path / 'tasks.sqlite'}", free_port())
    assert_one_line(run(["serve", "--service", service], tmp_path, **variables), 2, "APP_JWKS_URL: missing")


def test_a_port_in_use_is_reported_in_one_line(tmp_path: Path, sqlite_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run(["serve"], tmp_path, **environment(tmp_path, sqlite_url, port))
    assert_one_line(result, 1, str(port), "in use", "APP_PORT")


def test_an_unreachable_database_is_reported_in_one_line(tmp_path: Path) -> None:
    variables = environment(tmp_path, "postgresql+psycopg2://nobody:hunter2@127.0.0.1:1/nothing", free_port())
    result = run(["migrate"], tmp_path, **variables)
    assert_one_line(result, 1, "database")
    assert "hunter2" not in result.stderr


def test_an_unknown_service_is_rejected(tmp_path: Path) -> None:
    result = run(["serve", "--service", "billing"], tmp_path)
    assert result.returncode == 2
    assert "billing" in result.stderr


def test_drain_marks_waits_and_starts_at_once(tmp_path: Path) -> None:
    mark = tmp_path / "draining"
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "app", "drain", "--seconds", "1"],
        cwd=ROOT,
        env={**os.environ, "APP_DRAIN_FILE": str(mark)},
        stderr=subprocess.PIPE,
        text=True,
    )
    _, imports = process.communicate(timeout=30)
    assert process.returncode == 0
    assert time.monotonic() - started >= 1
    assert mark.exists()
    for heavy in ("flask", "sqlalchemy", "pydantic", "gunicorn"):
        assert f" {heavy}\n" not in imports


def test_development_needs_no_setting_and_migrates_itself(tmp_path: Path) -> None:
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("APP_")}
    variables = {**clean, "PYTHONPATH": str(ROOT), "APP_ENVIRONMENT": "development", "APP_PORT": str(port)}
    variables["APP_DRAIN_FILE"] = str(tmp_path / "draining")
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "app", "serve"], cwd=tmp_path, env=variables, stderr=log)
    try:

        def ready() -> bool:
            assert process.poll() is None, (tmp_path / "log").read_text()
            try:
                return httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(ready, "the development server is ready")
    finally:
        process.terminate()
        assert process.wait(30) == 0
    assert f"http://127.0.0.1:{port}" in (tmp_path / "log").read_text()
    key = tmp_path / ".cache" / "dev" / "secret-key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_text() not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("database", "file", "status", "words"),
    [
        ("sqlite:///other.sqlite", "tasks.sqlite", 2, ["APP_DATABASE_URL", "PostgreSQL only"]),
        ("postgresql+psycopg2://x@127.0.0.1:1/x", "nothing.sqlite", 1, ["no database at nothing.sqlite"]),
        ("postgresql+psycopg2://x@127.0.0.1:1/x", "tasks.sqlite", 1, ["nobody waits", "http://127.0.0.1:1"]),
    ],
)
def test_a_failure_of_carry_is_reported_in_one_line(
    tmp_path: Path, sqlite_url: str, database: str, file: str, status: int, words: list[str]
) -> None:
    assert (tmp_path / "tasks.sqlite").is_file(), sqlite_url
    variables = environment(tmp_path, database, port=1)
    result = run(["carry", file, "--to", "http://127.0.0.1:1", "--patience", "0"], tmp_path, **variables)
    assert_one_line(result, status, *words)


def test_a_handed_over_database_is_not_migrated(tmp_path: Path, sqlite_url: str) -> None:
    HandoverLock(tmp_path / "tasks.sqlite").acquire("http://127.0.0.1:1")
    assert_one_line(run(["migrate"], tmp_path, **environment(tmp_path, sqlite_url, port=1)), 1, "has moved")
