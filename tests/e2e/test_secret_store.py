"""Secrets of a stack from OpenBao by External Secrets Operator: `make e2e-secrets`."""

from __future__ import annotations

import base64
import json
import secrets as random
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, time
from typing import Any

import httpx
import pytest

from infra.names import KEYS_ACCEPTED_KEY, KEYS_SECRET, KEYS_SECRET_KEY, MAIL_SECRET
from local import paths
from tests.e2e.account import Account
from tests.e2e.growth import configuration
from tests.e2e.load import steady_load
from tests.e2e.system import System, kubectl, run, wait_for

pytestmark = pytest.mark.phases(2)

PYTHON = ".venv/infra/bin/python"
RATE = 20
REFRESH = 10
"""Seconds after which the store is asked again."""
RESTART = 60 + 30
"""Seconds within which pods follow a Secret: a look a minute, and a rolling update's beginning."""
AWAY_SECONDS = 60
CONFIG_MAP = "openbao-ca"
STORE = ("--namespace", "openbao")


def entry(system: System, name: str) -> str:
    return f"secret/task-manager/{system.stack}/{name}"


def bao(*arguments: str, stdin: str = "") -> str:
    return run(PYTHON, "-m", "local", "bao", *arguments, stdin=stdin).ok()


def put(system: System, name: str, values: dict[str, str]) -> None:
    """Write an entry; the values go by standard input."""
    bao("kv", "put", entry(system, name), "-", stdin=json.dumps(values))


def copied(system: System, name: str) -> dict[str, str]:
    """Return the values of a Secret in the cluster."""
    found = json.loads(system.kubectl("get", "secret", name, "--output=json").ok())
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


def settings(system: System, directory: Path, **changes: Any) -> list[str]:
    """Return the options of `pulumi up` for a stack whose Secrets are in the store."""
    store = {
        "source": "vault",
        "address": "https://openbao.openbao.svc:8200",
        "authority": CONFIG_MAP,
        "refresh": REFRESH,
    }
    file = configuration(system.phase, directory, secrets=store, **changes)
    return ["--yes", "--skip-preview", "--config-file", str(file)]


@pytest.fixture(scope="module")
def stored(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The stack, with its Secrets in OpenBao; afterwards it has its own again."""
    run(PYTHON, "-m", "local", "up", "--no-image", "--with", "secret-store", timeout=3000).ok()
    authority = paths.CERTIFICATES / "openbao-ca.crt"
    system.kubectl("create", "configmap", CONFIG_MAP, f"--from-file=ca.crt={authority}").ok()
    for wanted in json.loads(run("make", "--silent", "secrets", f"STACK={system.stack}", "JSON=1").ok()):
        present = copied(system, wanted["name"])
        put(system, wanted["name"], {key: present[key] for key in wanted["keys"]})
    system.pulumi("up", *settings(system, tmp_path_factory.mktemp("stored"))).ok()
    yield system
    system.kubectl("delete", "configmap", CONFIG_MAP).ok()
    run("make", "up", f"PHASE={system.phase}", timeout=900).ok()


def started(system: System) -> set[str]:
    return {pod["metadata"]["name"] for pod in system.api_pods()}


def signing_keys(system: System) -> set[str]:
    """Identifiers of the keys by which the API's tokens can be verified."""
    found = httpx.get(f"{system.url}/.well-known/jwks.json", timeout=10).raise_for_status().json()
    return {key["kid"] for key in found["keys"]}


def test_the_stack_runs_on_copies_and_its_state_has_no_value(stored: System) -> None:
    copies = stored.get("externalsecrets.external-secrets.io")
    assert {each["metadata"]["name"] for each in copies} >= {KEYS_SECRET, "task-manager-cache", "task-manager-broker"}
    state = stored.pulumi("stack", "export", "--show-secrets").ok()
    for each in copies:
        for value in copied(stored, each["metadata"]["name"]).values():
            assert value not in state, each["metadata"]["name"]


def test_a_key_changed_in_the_store_is_in_the_pods_without_a_failed_request(
    stored: System, account: Account, tmp_path: Path, artefacts: Path
) -> None:
    former = copied(stored, KEYS_SECRET)
    account.client.post("/tasks", json={"title": "Read under load"})
    before, known = started(stored), signing_keys(stored)
    # The first look of the reload remembers what the pods were started with.
    wait_for("the reload has looked", lambda: remembered(stored), seconds=RESTART)
    with steady_load(tmp_path, [f"{stored.api}/tasks"], account.token, rate=RATE) as load:
        changed = time()
        fresh = random.token_urlsafe(48)
        put(
            stored,
            KEYS_SECRET,
            {KEYS_SECRET_KEY: fresh, KEYS_ACCEPTED_KEY: former[KEYS_SECRET_KEY]},
        )
        wait_for(
            "the Secret has the new key",
            lambda: copied(stored, KEYS_SECRET)[KEYS_SECRET_KEY] == fresh,
            seconds=REFRESH + 5,
            every=0.2,
        )
        in_secret = time() - changed
        wait_for("every pod is a new one", lambda: not started(stored) & before, seconds=RESTART + 120)
        wait_for("all are ready", lambda: len(started(stored)) == 3, seconds=60)
        in_pods = time() - changed
        assert signing_keys(stored) - known, "a new key signs"
        assert signing_keys(stored) & known, "the former is accepted"
        with Account.create(stored.api) as newcomer:
            assert newcomer.client.get("/users/me").status_code == 200
    record = {
        "changed": "signing key",
        "refresh s": REFRESH,
        "in the Secret s": in_secret,
        "in all pods s": in_pods,
        "requests": load.requests,
        "failed": load.failures,
    }
    (artefacts / "secret-store-key.json").write_text(json.dumps(record) + "\n")
    assert load.failures == 0, load.causes


def remembered(system: System) -> bool:
    deployment = json.loads(system.kubectl("get", "deployment", "task-manager", "--output=json").ok())
    return "task-manager/secrets" in deployment["metadata"]["annotations"]


def test_an_entry_that_is_missing_ends_a_new_deployment_with_its_name(stored: System, tmp_path: Path) -> None:
    mail = {"host": "mail.example.com", "user": "tasks", "sender": "tasks@example.com"}
    said = stored.pulumi("up", *settings(stored, tmp_path, mail=mail)).failed()
    assert MAIL_SECRET in said
    assert "Secret does not exist" in said or "could not get secret" in said, said


def test_the_stack_serves_on_without_the_store_and_a_new_deployment_says_what_is_missing(
    stored: System, account: Account, tmp_path: Path, artefacts: Path
) -> None:
    account.client.post("/tasks", json={"title": "Read under load"})
    (tmp_path / "load").mkdir()
    mail = {"host": "mail.example.com", "user": "tasks", "sender": "tasks@example.com"}
    with steady_load(tmp_path / "load", [f"{stored.api}/tasks"], account.token, rate=RATE) as load:
        scale(0)
        began = monotonic()
        said = stored.pulumi("up", *settings(stored, tmp_path, mail=mail)).failed()
        wait_for("it has been away for a while", lambda: monotonic() - began > AWAY_SECONDS, seconds=AWAY_SECONDS + 10)
        scale(3)
    assert "external-secrets" in said, said
    record = {"away": "OpenBao", "s": AWAY_SECONDS, "requests": load.requests, "failed": load.failures}
    (artefacts / "secret-store-away.json").write_text(json.dumps(record) + "\n")
    assert load.failures == 0, load.causes
    stored.pulumi("up", *settings(stored, tmp_path)).ok()


def scale(nodes: int) -> None:
    """Bring OpenBao to so many nodes, and wait until it is."""
    kubectl(*STORE, "scale", "statefulset/openbao", f"--replicas={nodes}").ok()
    if nodes:
        kubectl(*STORE, "rollout", "status", "statefulset/openbao", "--timeout=120s").ok()
    else:
        kubectl(
            *STORE, "wait", "pod", "--selector=app.kubernetes.io/name=openbao", "--for=delete", "--timeout=60s"
        ).ok()


def test_the_leader_killed_takes_no_entry_with_it(stored: System) -> None:
    kubectl(*STORE, "delete", "pod", "--selector=openbao-active=true", "--grace-period=0", "--force").ok()
    kubectl(*STORE, "rollout", "status", "statefulset/openbao", "--timeout=120s").ok()
    wait_for("another leads", leads, seconds=60)
    read = json.loads(bao("kv", "get", "-format=json", entry(stored, KEYS_SECRET)))
    assert KEYS_SECRET_KEY in read["data"]["data"]


def leads() -> bool:
    selector = ("get", "pods", "--selector=openbao-active=true", "--output=jsonpath={.items[*].metadata.name}")
    return bool(kubectl(*STORE, *selector).ok())
