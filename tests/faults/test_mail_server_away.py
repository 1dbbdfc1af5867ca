"""A mail server that is away or silent: requests go on, and mails wait in the queue."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from app.auth.password_resets import MAIL
from app.core.database.engine import Database
from app.core.jobs.tables import JobRow
from tests.support.api import PASSWORD, V1
from tests.support.ports import free_port, wait_for
from tests.support.server import server
from tests.support.smtp import mail_server

ACCOUNT = {"email": "somebody@example.com", "password": PASSWORD}


@contextmanager
def gone(port: int) -> Iterator[None]:
    """A server that is not there."""
    del port
    yield


@contextmanager
def silent(port: int) -> Iterator[None]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", port)):
        yield


@pytest.mark.parametrize("away", [gone, silent])
def test_a_mail_waits_for_its_server_and_is_sent_once_while_requests_go_on(
    away: Callable[[int], AbstractContextManager[None]], database: Database, database_url: str, tmp_path: Path
) -> None:
    def mail() -> tuple[str, str | None]:
        with database.reader.begin() as connection:
            row = connection.execute(select(JobRow.state, JobRow.error).where(JobRow.kind == MAIL)).one()
            return row.state, row.error

    port = free_port()
    settings = {
        "APP_SMTP_HOST": "127.0.0.1",
        "APP_SMTP_PORT": str(port),
        "APP_SMTP_TLS": "none",
        "APP_MAIL_FROM": "noreply@example.org",
        "APP_PUBLIC_URL": "https://tasks.example.org",
        "APP_JOB_POLL": "0.2",
        "APP_JOB_BACKOFF": "0.2",
    }
    with server(tmp_path, database_url, **settings) as started:
        with away(port), httpx.Client(base_url=f"{started.url}{V1}", timeout=30) as client:
            client.post("/auth/register", json={**ACCOUNT, "name": "Somebody"}).raise_for_status()
            assert client.post("/auth/password-reset", json={"email": ACCOUNT["email"]}).status_code == 202
            token = client.post("/auth/login", json=ACCOUNT).raise_for_status().json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            assert client.post("/tasks", json={"title": "New"}).status_code == 201
            wait_for(lambda: mail() == ("queued", "The mail server can't be reached."), "the mail has been tried")
        with mail_server(port) as inbox:
            wait_for(lambda: mail() == ("succeeded", None), "the mail is sent")
            resets = [taken["To"] for taken in inbox.mails if "password" in taken["Subject"]]
            assert resets == [ACCOUNT["email"]]
