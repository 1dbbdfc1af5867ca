"""The edge of phase 3: public responses and static files are cached, responses of users are not."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.e2e.account import Account
from tests.e2e.system import System, wait_for

pytestmark = pytest.mark.phases(3)

PUBLIC = ("/", "/favicon.ico", "/.well-known/jwks.json", "/api/v1/openapi.json", "/api/v1/docs")


def cached(url: str) -> httpx.Response:
    """Request until the response comes from the cache: each server of the edge caches what it has fetched itself."""

    def hit() -> httpx.Response | None:
        answer = httpx.get(url, timeout=30).raise_for_status()
        return answer if answer.headers.get("X-Cache") == "hit" else None

    found = wait_for(f"the edge caches {url}", hit, seconds=20)
    assert found is not None
    return found


def test_public_answers_and_static_files_come_from_the_edge(system: System) -> None:
    asset = re.findall(r'"(/static/[^"]+\.js)"', httpx.get(system.url, timeout=30).text)[0]
    for path in (*PUBLIC, asset):
        answer = cached(system.url + path)
        assert int(answer.headers["Age"]) >= 0
        assert "public" in answer.headers["Cache-Control"]
        known = {"If-None-Match": answer.headers["ETag"]}
        assert httpx.get(system.url + path, headers=known, timeout=30).status_code == 304
    assert "immutable" in cached(system.url + asset).headers["Cache-Control"]


def test_responses_of_users_never_pass_the_edge(system: System, account: Account) -> None:
    with Account.create(system.api) as other:
        for number in range(20):
            for who in (account, other):
                profile = who.client.get("/users/me")
                assert profile.json()["email"] == who.email
                for answer in (profile, who.client.get("/tasks", params={"limit": number + 1})):
                    assert "X-Cache" not in answer.headers
                    assert "Age" not in answer.headers
                    assert "public" not in answer.headers["Cache-Control"]


def test_requests_with_a_token_get_no_cached_response(system: System, account: Account) -> None:
    for path in PUBLIC:
        cached(system.url + path)
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
    log = system.kubectl("logs", "job/task-manager-purge").ok()
    assert log.count("keeps nothing any more") == 2
