"""Logged errors are reported to Sentry, with tags and trace, without data of the request."""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx

from app.bootstrap.container import build
from tests.support.api import PASSWORD, V1
from tests.support.collector import Taken, collector
from tests.support.ports import wait_for
from tests.support.server import ROOT, environment, server
from tests.support.settings import make_settings

TRACE = "0af7651916cd43dd8448eb211c80319c"


def dsn(taken: Taken) -> str:
    return f"http://publickey@127.0.0.1:{taken.port}/1"


def test_an_unhandled_error_is_reported_with_its_trace_and_without_request_data(
    postgres_url: str, tmp_path: Path
) -> None:
    database = build(make_settings(postgres_url)).database
    with database.writer.begin() as connection:
        # the error of its violation is unhandled, and quotes the row
        connection.exec_driver_sql("ALTER TABLE tasks ADD CONSTRAINT odd CHECK (title NOT LIKE 'odd%%')")
    database.dispose()
    account = {"email": "grace@example.org", "password": PASSWORD}
    with collector() as taken:
        variables = {"APP_SENTRY_DSN": dsn(taken), "APP_DEPLOYMENT": "task-manager-prod"}
        with (
            server(tmp_path, postgres_url, **variables) as started,
            httpx.Client(base_url=f"{started.url}{V1}") as client,
        ):
            client.post("/auth/register", json={**account, "name": "Grace"}).raise_for_status()
            token = client.post("/auth/login", json=account).json()["access_token"]
            headers = {
                "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
                "Authorization": f"Bearer {token}",
                "Cookie": "session=hunter3",
            }
            answer = client.post("/tasks", json={"title": "odd wishes"}, headers=headers)
            assert answer.status_code == 500
            wait_for(lambda: bool(taken.errors()), "the error is told")
            assert started.terminate() == 0
            assert b"[parameters:" not in started.log.read_bytes()
    [error] = taken.errors()
    assert error["exception"]["values"][-1]["type"] == "IntegrityError"
    assert error["tags"]["trace_id"] == TRACE
    assert error["tags"]["request_id"] == answer.json()["request_id"]
    assert (error["tags"]["role"], error["tags"]["event"]) == ("api", "unhandled error")
    assert error["contexts"]["log"] == {"method": "POST", "route": f"{V1}/tasks"}
    assert (error["environment"], error["level"]) == ("task-manager-prod", "error")
    assert error["release"].startswith("task-manager@")
    assert "user" not in error
    assert "request" not in error
    for secret in (PASSWORD, "odd wishes", token[-20:], "hunter3", "grace@", "argon2"):
        assert secret.encode() not in taken.everything()


def test_a_failed_job_is_reported(sqlite_url: str, tmp_path: Path) -> None:
    parts = build(make_settings(sqlite_url))
    job = parts.jobs.queue(uuid4(), "import")  # of no file
    parts.database.dispose()
    with collector() as taken:
        variables = {"APP_SENTRY_DSN": dsn(taken), "APP_JOB_ATTEMPTS": "1", "APP_JOB_POLL": "0.2"}
        with server(tmp_path, sqlite_url, **variables) as started:
            wait_for(lambda: bool(taken.errors()), "the error is told")
            assert started.terminate() == 0
    [error] = taken.errors()
    assert (error["tags"]["event"], error["tags"]["kind"]) == ("job given up", "import")
    assert error["contexts"]["log"]["job_id"] == str(job.id)


def test_a_malformed_dsn_fails_the_start_with_the_name_of_its_variable(sqlite_url: str, tmp_path: Path) -> None:
    variables = environment(tmp_path, sqlite_url, 8000, APP_SENTRY_DSN="https://sentry.example.org")
    done = subprocess.run(
        [sys.executable, "-m", "app", "serve"], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        2,
        "error: APP_SENTRY_DSN: must be like https://key@host/1, as Sentry shows it\n",
    )
