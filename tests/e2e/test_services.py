"""Services of phase 4: tied together by events alone, each with credentials of its own, each away alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urljoin
from zipfile import ZipFile

import httpx
import pytest

from infra.names import API_PORT, ServiceNames
from tests.e2e.account import Account
from tests.e2e.faults import kill, wait_until_ready
from tests.e2e.load import Load, steady_load
from tests.e2e.system import System, wait_for
from tests.support.pod_names import part_of

pytestmark = pytest.mark.phases(4)

PATHS = {"auth": "/users/me", "tasks": "/tasks", "notifications": "/notifications", "analytics": "/statistics"}
"""A path of each service that a user reads."""

SERVICES = tuple(PATHS)
RABBITMQ = "app.kubernetes.io/component=rabbitmq"
RATE = 20
AWAY = 60
"""Seconds for which a part is away."""


def python_in(system: System, service: str, program: str) -> str:
    """Run a program in a server of a service, with the service's own settings, and return the last line it printed."""
    deployment = f"deployment/{ServiceNames(service).release}"
    return system.kubectl("exec", deployment, "--container", "api", "--", "python", "-c", program).text.splitlines()[-1]


def count(system: System, service: str, table: str, user: str) -> int:
    """Return how many rows of a table in a service's own database are a user's."""
    query = f"select count(*) from {table} where user_id = '{user}'"  # noqa: S608 - ours
    [[found]] = system.sql(query, database=ServiceNames(service).database)
    return int(found)


@contextmanager
def scaled_away(system: System, service: str) -> Iterator[None]:
    """Take all pods of a service away, and bring them back."""
    release = ServiceNames(service).release
    deployments = [item["metadata"]["name"] for item in system.get("deployments", "--selector", selector(service))]
    for name in deployments:
        system.kubectl("scale", "deployment", name, "--replicas=0").ok()
    wait_for(f"{release} is away", lambda: not system.get("pods", "--selector", selector(service)), seconds=90)
    try:
        yield
    finally:
        for name in deployments:
            system.kubectl("scale", "deployment", name, "--replicas=1").ok()
        wait_until_ready(system)


def selector(service: str) -> str:
    return f"app.kubernetes.io/instance={ServiceNames(service).release}"


def wait_away(load: Load, seconds: float = AWAY) -> None:
    """Let a load go on for so long."""
    ends = monotonic() + seconds
    while monotonic() < ends:
        sleep(1)
    assert load.sent > 0


def erased(system: System, service: str, table: str, user: str) -> Callable[[], bool]:
    return lambda: count(system, service, table, user) == 0


def refused(account: Account, path: str) -> Callable[[], bool]:
    return lambda: account.client.get(path).status_code == 401


# --- tied together by events


def test_what_happens_in_one_service_is_known_to_the_others(account: Account) -> None:
    client = account.client
    task = client.post("/tasks", json={"title": "Counted elsewhere"}).json()
    client.patch(f"/tasks/{task['id']}", json={"status": "done"}).raise_for_status()

    def counted() -> bool:
        days = client.get("/statistics").raise_for_status().json()["days"]
        return bool(sum(day["created"] for day in days) == sum(day["completed"] for day in days) == 1)

    wait_for("analytics has counted the task", counted, seconds=30)


def test_a_deleted_account_is_erased_from_every_database(system: System, account: Account) -> None:
    client = account.client
    user = client.get("/users/me").json()["id"]
    client.post("/tasks", json={"title": "To be erased"}).raise_for_status()
    wait_for("analytics knows the task", lambda: count(system, "analytics", "task_facts", user) == 1, seconds=30)
    assert count(system, "tasks", "tasks", user) == 1
    client.request("DELETE", "/users/me", json={"password": account.password}).raise_for_status()
    for service, table in (("tasks", "tasks"), ("analytics", "task_facts")):
        wait_for(f"{service} has erased it", erased(system, service, table, user), seconds=60)


def test_an_ended_session_is_refused_by_every_service_within_seconds(account: Account) -> None:
    for path in PATHS.values():
        assert account.client.get(path).status_code == 200
    account.client.post("/auth/logout").raise_for_status()
    for service, path in PATHS.items():
        wait_for(f"{service} refuses the token", refused(account, path), seconds=5, every=0.1)


def test_a_copy_of_ones_data_comes_in_a_part_from_each_service(system: System, account: Account) -> None:
    client = account.client
    client.post("/tasks", json={"title": "To take along"}).raise_for_status()
    asked = client.post("/users/me/export").raise_for_status().json()
    urls = {part["service"]: urljoin(system.api, part["url"]) for part in asked["parts"]}
    assert urls.keys() == set(SERVICES)
    files: dict[str, bytes] = {}
    with Account.create(system.api) as stranger:
        for service, url in urls.items():
            wait_for(f"{service} has made its part", made(client, url), seconds=60)
            with ZipFile(BytesIO(client.get(f"{url}/result").raise_for_status().content)) as archive:
                files |= {name: archive.read(name) for name in archive.namelist()}
            assert stranger.client.get(url).status_code == stranger.client.get(f"{url}/result").status_code == 404
    assert {name.partition("/")[0] for name in files} == set(SERVICES)
    assert json.loads(files["auth/account.json"])["email"] == account.email
    assert [task["title"] for task in json.loads(files["tasks/tasks-0001.json"])] == ["To take along"]


def made(client: httpx.Client, url: str) -> Callable[[], bool]:
    """Whether a service has made its part; raises once that has failed."""

    def succeeded() -> bool:
        answer = client.get(url)
        if answer.status_code == 404:  # it has not heard of the request yet
            return False
        job = answer.raise_for_status().json()
        assert job["state"] != "failed", job
        return bool(job["state"] == "succeeded")

    return succeeded


def test_the_least_that_each_part_uses_is_measured(system: System, artefacts: Path) -> None:
    wait_until_ready(system)
    rows: dict[str, dict[str, object]] = {}
    for line in system.kubectl("top", "pods", "--no-headers").ok().splitlines():
        pod, processor, memory = line.split()
        part = part_of(pod)
        row = rows.setdefault(part, {"part": part, "pods": 0, "CPU m": 0, "MiB": 0})
        for key, value in (("pods", 1), ("CPU m", processor.removesuffix("m")), ("MiB", memory.removesuffix("Mi"))):
            row[key] = int(str(row[key])) + int(value)
    assert {"auth", "tasks", "notifications", "analytics", "database", "cache", "rabbitmq"} <= rows.keys()
    total = {
        "part": "all",
        **{key: sum(int(str(row[key])) for row in rows.values()) for key in ("pods", "CPU m", "MiB")},
    }
    table = [*sorted(rows.values(), key=lambda row: str(row["part"])), total]
    (artefacts / "parts.json").write_text("".join(json.dumps(row) + "\n" for row in table))


# --- credentials of its own


CONNECT = """\
import os, psycopg2
try:
    psycopg2.connect(host=os.environ["APP_DATABASE_HOST"], dbname="{database}", user=os.environ["APP_DATABASE_USER"],
                     password=os.environ["APP_DATABASE_PASSWORD"], sslmode="require", connect_timeout=5)
    print("connected")
except psycopg2.OperationalError as error:
    print("refused", str(error).replace(chr(10), " "))
"""


@pytest.mark.parametrize("service", SERVICES)
def test_the_role_of_a_service_opens_its_own_database_and_no_other(system: System, service: str) -> None:
    for other in SERVICES:
        said = python_in(system, service, CONNECT.format(database=ServiceNames(other).database))
        assert said.startswith("connected" if other == service else "refused"), (service, other, said)
    assert python_in(system, service, CONNECT.format(database="postgres")).startswith("refused")


WRITE_KEY = """\
import os, redis
client = redis.RedisCluster(host=os.environ["APP_REDIS_HOST"], port=6379, username=os.environ["APP_REDIS_USER"],
                            password=os.environ["APP_REDIS_PASSWORD"])
try:
    client.set("{key}", "1", ex=1)
    print("written")
except redis.exceptions.NoPermissionError as error:
    print("refused", error)
"""


@pytest.mark.parametrize("service", SERVICES)
def test_the_cache_user_of_a_service_writes_its_own_keys_and_no_others(system: System, service: str) -> None:
    for other in SERVICES:
        said = python_in(system, service, WRITE_KEY.format(key=f"{other}:tried"))
        assert said.startswith("written" if other == service else "refused"), (service, other, said)


READ_QUEUE = """\
import os
from app.core.settings import load_settings
from app.core.events.rabbitmq import Broker
from app.core.errors import UnavailableError
try:
    with Broker(load_settings()).connected() as connection:
        connection.channel().basic_get("task-manager.{queue}")
    print("read")
except UnavailableError as error:
    print("refused", error)
"""


@pytest.mark.parametrize("service", SERVICES)
def test_the_broker_user_of_a_service_reads_its_own_queue_and_no_other(system: System, service: str) -> None:
    for other in SERVICES:
        said = python_in(system, service, READ_QUEUE.format(queue=other))
        assert said.startswith("read" if other == service else "refused"), (service, other, said)


FORGED = """\
import datetime, jwt, urllib.request, urllib.error
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
now = datetime.datetime.now(datetime.UTC)
claims = {"sub": "4f3c0c3a-0000-4000-8000-000000000000", "sid": "4f3c0c3a-0000-4000-8000-000000000001", "role": "user",
          "iat": now, "exp": now + datetime.timedelta(minutes=5), "iss": "task-manager", "aud": "task-manager-api"}
token = jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"kid": "forged", "typ": "at+jwt"})
request = urllib.request.Request("http://127.0.0.1:8000%s", headers={"Authorization": f"Bearer {token}"})
try:
    print(urllib.request.urlopen(request, timeout=10).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.mark.parametrize(("service", "path"), PATHS.items())
def test_a_forged_token_is_refused_by_each_service_itself(system: System, service: str, path: str) -> None:
    assert python_in(system, service, FORGED % f"/api/v1{path}") == "401"


PLAIN_TEXT = """\
import http.client
connection = http.client.HTTPConnection("{host}", {port}, timeout=10)
try:
    connection.request("GET", "/health/live")
    print("answered", connection.getresponse().status)
except ConnectionError as error:
    print("refused", type(error).__name__)
"""


@pytest.mark.parametrize("service", SERVICES)
def test_a_server_refuses_plain_text_from_a_pod_of_the_stack_that_is_outside_of_the_mesh(
    system: System, service: str
) -> None:
    release = ServiceNames(service).release
    worker = ("exec", f"deployment/{ServiceNames('analytics').release}-worker", "--container", "worker", "--")
    stranger = PLAIN_TEXT.format(host=release, port=API_PORT)
    assert system.kubectl(*worker, "python", "-c", stranger).text.startswith("refused")
    assert python_in(system, service, PLAIN_TEXT.format(host="127.0.0.1", port=API_PORT)) == "answered 200"


# --- each away alone


@pytest.mark.late
def test_while_auth_is_away_whoever_has_a_token_works_on(
    system: System, account: Account, tmp_path: Path, artefacts: Path
) -> None:
    wait_until_ready(system)
    targets = [f"{system.api}/tasks", f"{system.api}/statistics", f"{system.api}/notifications"]
    with (
        steady_load(tmp_path, targets, account.token, rate=RATE, tasks=f"{system.api}/tasks") as load,
        scaled_away(system, "auth"),
    ):
        wait_away(load)
    record(artefacts, "auth", load)
    assert load.failures == 0, load.causes
    stored = load.stored_tasks(system)
    assert (stored.lost, stored.twice) == (0, 0), stored


@pytest.mark.late
@pytest.mark.parametrize("service", ["analytics", "notifications"])
def test_while_a_consumer_is_away_tasks_serves_and_nothing_is_lost(
    system: System, account: Account, tmp_path: Path, artefacts: Path, service: str
) -> None:
    wait_until_ready(system)
    user = account.client.get("/users/me").json()["id"]
    targets = [f"{system.api}/users/me", f"{system.api}/tasks"]
    with (
        steady_load(tmp_path, targets, account.token, rate=RATE, tasks=f"{system.api}/tasks") as load,
        scaled_away(system, service),
    ):
        wait_away(load)
    record(artefacts, service, load)
    assert load.failures == 0, load.causes
    assert_counted_once(system, account, user, len(load.acknowledged))


@contextmanager
def rabbitmq_away(system: System) -> Iterator[None]:
    """Take all nodes of RabbitMQ away, and bring them back."""
    [nodes] = system.get("statefulsets", "--selector", RABBITMQ)
    name, number = nodes["metadata"]["name"], nodes["spec"]["replicas"]
    system.kubectl("scale", "statefulset", name, "--replicas=0").ok()
    wait_for("RabbitMQ is away", lambda: not system.get("pods", "--selector", RABBITMQ), seconds=120)
    try:
        yield
    finally:
        system.kubectl("scale", "statefulset", name, f"--replicas={number}").ok()
        wait_until_ready(system)


@contextmanager
def rabbitmq_node_killed(system: System) -> Iterator[None]:
    """Kill one node of RabbitMQ."""
    victim, *_ = [pod["metadata"]["name"] for pod in system.get("pods", "--selector", RABBITMQ)]
    kill(system, victim)
    yield
    wait_until_ready(system)


@pytest.mark.late
@pytest.mark.parametrize("lost", [rabbitmq_away, rabbitmq_node_killed], ids=lambda lost: lost.__name__)
def test_without_rabbitmq_tasks_are_written_and_every_event_arrives_afterwards(
    system: System,
    account: Account,
    tmp_path: Path,
    artefacts: Path,
    lost: Callable[[System], AbstractContextManager[None]],
) -> None:
    wait_until_ready(system)
    user = account.client.get("/users/me").json()["id"]
    targets = [f"{system.api}/users/me", f"{system.api}/tasks", f"{system.api}/statistics"]
    with steady_load(tmp_path, targets, account.token, rate=RATE, tasks=f"{system.api}/tasks") as load, lost(system):
        wait_away(load)
    record(artefacts, lost.__name__.replace("_", " "), load)
    assert load.failures == 0, load.causes
    assert_counted_once(system, account, user, len(load.acknowledged))


def assert_counted_once(system: System, account: Account, user: str, made: int) -> None:
    """Wait until analytics knows every task that was made, and check that it has counted each once."""
    assert made > AWAY
    wait_for("every event has arrived", lambda: count(system, "analytics", "task_facts", user) == made, seconds=120)
    today = datetime.now(UTC).date().isoformat()
    days = account.client.get("/statistics", params={"from": today, "to": today}).json()["days"]
    assert sum(day["created"] for day in days) == made


def record(artefacts: Path, away: str, load: Load) -> None:
    """Write what was seen while a part was away."""
    row = {
        "away": away,
        "seconds": AWAY,
        "requests": load.requests,
        "failed": load.failures,
        "p99 ms": round(load.p99_ms()),
    }
    (artefacts / f"away-{away.replace(' ', '-')}.json").write_text(json.dumps(row) + "\n")
