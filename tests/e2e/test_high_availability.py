"""From phase 2 on: several instances behind the gateway, a database with standbys, a cache that keeps its data."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.e2e.account import Account
from tests.e2e.load import steady_load
from tests.e2e.system import System, wait_for

pytestmark = pytest.mark.phases(2, 3)


def test_three_instances_answer_in_turn(system: System) -> None:
    wait_for("three instances are ready", lambda: len(system.api_pods()) == 3)
    served = [httpx.get(f"{system.url}/health/live", timeout=30).headers["X-Served-By"] for _ in range(60)]
    names = {pod["metadata"]["name"] for pod in system.api_pods()}
    assert set(served) == names


def test_the_address_is_served_over_tls_too(system: System) -> None:
    address = system.pulumi("stack", "output", "url_tls").ok().strip()
    assert address.startswith("https://")
    answer = httpx.get(f"{address}/health/ready", verify=False, timeout=30)  # noqa: S501 - the certificate is its own
    assert answer.status_code == 200


@pytest.mark.parametrize("how", ["deleted", "killed"])
def test_a_lost_pod_costs_no_request(
    system: System, account: Account, tmp_path: Path, artefacts: Path, how: str
) -> None:
    targets = [f"{system.api}/users/me", f"{system.api}/tasks"]
    wait_for("three instances are ready", lambda: len(system.api_pods()) == 3)
    victim = system.api_pods()[0]["metadata"]["name"]
    with steady_load(tmp_path, targets, account.token, rate=20) as load:
        wait_for("the load runs", lambda: load.sent > 100)
        if how == "deleted":
            system.kubectl("delete", "pod", victim).ok()
        else:
            system.kubectl("exec", victim, "--", "kill", "-KILL", "1")
            system.kubectl("delete", "pod", victim, "--grace-period=0", "--force").ok()
        wait_for("three instances are ready again", lambda: len(system.api_pods()) == 3)
        lost_at = load.sent
        wait_for("the load has gone on", lambda: load.sent > lost_at + 200)
    (artefacts / f"pod-{how}.txt").write_text(f"{load.requests} requests at 20/s, {load.failures} failed\n")
    assert load.failures == 0, load.causes


def test_rows_that_were_written_are_on_the_standby(system: System, account: Account) -> None:
    title = f"replicated for {account.email}"
    assert account.client.post("/tasks", json={"title": title}).status_code == 201
    standbys = [pod["metadata"]["name"] for pod in system.get("pods", "--selector", "cnpg.io/instanceRole=replica")]
    assert standbys

    query = f"select pg_is_in_recovery(), count(*) from tasks where title = '{title}'"  # noqa: S608 - our own title
    for standby in standbys:

        def found(pod: str = standby) -> bool:
            return system.sql(query, pod) == [["t", "1"]]

        wait_for(f"the row is on {standby}", found, seconds=10)


def test_a_logged_out_token_stays_refused_when_the_cache_restarts(system: System, account: Account) -> None:
    assert account.client.post("/auth/logout").status_code == 204
    caches = [
        f"pod/{pod['metadata']['name']}"
        for pod in system.get("pods", "--selector", "app.kubernetes.io/component=cache")
    ]
    system.kubectl("delete", *caches).ok()
    wait_for(
        "every server of the cache is ready",
        lambda: system.kubectl("wait", "--for=condition=Ready", *caches, "--timeout=90s").code == 0,
        seconds=120,
    )
    wait_for("the API sees the cache again", lambda: account.client.get("/users/me").status_code == 401, seconds=30)
