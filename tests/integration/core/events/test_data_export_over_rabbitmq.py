"""A copy of a user's data, of services in processes of their own: asked for by an event over RabbitMQ."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4
from zipfile import ZipFile

import httpx
import pytest

from app.bootstrap.services import SERVICES
from tests.support.api import PASSWORD, V1
from tests.support.ports import wait_for
from tests.support.postgres import Postgres
from tests.support.rabbitmq import RabbitMq
from tests.support.server import ROOT, environment, server

Clients = dict[str, httpx.Client]


@pytest.fixture
def clients(postgres: Postgres, rabbitmq: RabbitMq, tmp_path: Path) -> Iterator[Clients]:
    """A client of each service, with its server and its database, logged in as the same user."""
    databases = {service: f"{service}_{uuid4().hex}" for service in SERVICES}
    with ExitStack() as stack:
        clients = {}
        for service, name in databases.items():
            postgres.execute(f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY FILE_COPY")
            stack.callback(postgres.execute, f"DROP DATABASE {name} WITH (FORCE)")
            more = {"APP_EVENTS_URL": rabbitmq.url, "APP_JOB_POLL": "0.1"}
            running = stack.enter_context(server(tmp_path, postgres.url(name), service, **more))
            clients[service] = stack.enter_context(httpx.Client(base_url=running.url, timeout=30))
        # As a deployment does before it publishes: a service that is not subscribed yet would miss the first events.
        variables = environment(tmp_path, postgres.url(databases["auth"]), 8000, APP_EVENTS_URL=rabbitmq.url)
        declaring = [sys.executable, "-m", "app", "declare-queues"]
        subprocess.run(declaring, cwd=ROOT, env=variables, check=True, capture_output=True)
        account = {"email": "grace@example.org", "password": PASSWORD}
        clients["auth"].post(f"{V1}/auth/register", json={**account, "name": "Grace"}).raise_for_status()
        pair = clients["auth"].post(f"{V1}/auth/login", json=account).raise_for_status().json()
        for client in clients.values():
            client.headers["Authorization"] = f"Bearer {pair['access_token']}"
        yield clients


def test_every_service_makes_its_part_and_forgets_it_with_the_account(clients: Clients) -> None:
    clients["tasks"].post(f"{V1}/tasks", json={"title": "Find the moth"}).raise_for_status()
    parts = clients["auth"].post(f"{V1}/users/me/export").raise_for_status().json()["parts"]
    urls = {part["service"]: part["url"] for part in parts}
    files: list[str] = []
    for service, url in urls.items():
        client = clients[service]
        wait_for(lambda c=client, u=url: c.get(u).json().get("state") == "succeeded", f"{service} has its part")  # type: ignore[misc]
        with ZipFile(io.BytesIO(client.get(f"{url}/result").raise_for_status().content)) as archive:
            files += archive.namelist()
            if service == "tasks":
                [task] = json.loads(archive.read("tasks/tasks-0001.json"))
                assert task["title"] == "Find the moth"
    assert {"auth/account.json", "tasks/tasks-0001.json", "notifications/mail-preferences.json"} < set(files)
    assert "analytics/statistics.json" in files

    clients["auth"].request("DELETE", f"{V1}/users/me", json={"password": PASSWORD}).raise_for_status()
    for service, url in urls.items():
        client = clients[service]
        wait_for(lambda c=client, u=url: c.get(f"{u}/result").status_code == 401, f"{service} refuses it")  # type: ignore[misc]
