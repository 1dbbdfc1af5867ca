"""Phase 3: what is public comes from the edge, and nobody's own does."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.e2e.account import Account
from tests.e2e.system import System, wait_for

pytestmark = pytest.mark.phases(3)

PUBLIC = ("/", "/favicon.ico", "/.well-known/jwks.json", "/api/v1/openapi.json", "/api/v1/docs")


def kept(url: str) -> httpx.Response:
    """Ask until the answer has been kept: each server of the edge keeps what it has fetched itself."""

    def hit() -> httpx.Response | None:
        answer = httpx.get(url, timeout=30).raise_for_status()
        return answer if answer.headers.get("X-Cache") == "hit" else None

    found = wait_for(f"the edge keeps {url}", hit, seconds=20)
    assert found is not None
    return found


def test_public_answers_and_static_files_come_from_the_edge(system: System) -> None:
    asset = re.findall(r'"(/static/[^"]+\.js)"', httpx.get(system.url, timeout=30).text)[0]
    for path in (*PUBLIC, asset):
        answer = kept(system.url + path)
        assert int(answer.headers["Age"]) >= 0
        assert "public" in answer.headers["Cache-Control"]
        known = {"If-None-Match": answer.headers["ETag"]}
        assert httpx.get(system.url + path, headers=known, timeout=30).status_code == 304
    assert "immutable" in kept(system.url + asset).headers["Cache-Control"]


def test_what_is_a_users_own_never_passes_the_edge(system: System, account: Account) -> None:
    with Account.create(system.api) as other:
        for number in range(20):
            for who in (account, other):
                profile = who.client.get("/users/me")
                assert profile.json()["email"] == who.email
                for answer in (profile, who.client.get("/tasks", params={"limit": number + 1})):
                    assert "X-Cache" not in answer.headers
                    assert "Age" not in answer.headers
                    assert "public" not in answer.headers["Cache-Control"]


def test_somebody_who_has_logged_in_gets_nothing_that_is_kept(system: System, account: Account) -> None:
    for path in PUBLIC:
        kept(system.url + path)
        headers = {"Authorization": f"Bearer {account.token}"}
        answer = httpx.get(system.url + path, headers=headers, timeout=30)
        assert answer.headers["X-Cache"] == "pass"
        assert "public" not in answer.headers["Cache-Control"]


def test_a_lost_server_of_the_edge_costs_no_request(system: System) -> None:
    def ready() -> list[str]:
        pods = system.get(
            "pods", "--selector", "app.kubernetes.io/component=edge", "--field-selector=status.phase=Running"
        )
        return [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    wait_for("two servers of the edge run", lambda: len(ready()) == 2)
    victim = ready()[0]
    system.kubectl("delete", "pod", victim, "--wait=false").ok()

    def replaced() -> bool:
        assert httpx.get(system.url, timeout=30).status_code == 200
        return len(ready()) == 2 and victim not in ready()

    wait_for("another one has taken its place", replaced, seconds=120)


def test_everything_has_been_dropped_after_the_release(system: System) -> None:
    told = system.kubectl("logs", "job/task-manager-purge").ok()
    assert told.count("keeps nothing any more") == 2
