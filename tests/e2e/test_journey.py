"""A user's journey through the task manager, over the address that `make url` prints."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tests.e2e.account import Account
from tests.e2e.browser import run_flow
from tests.e2e.system import System
from tests.support.ports import wait_for


def test_a_person_registers_works_on_tasks_and_logs_out(account: Account) -> None:
    client = account.client
    assert client.get("/users/me").json()["email"] == account.email

    due = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    made = client.post("/tasks", json={"title": "Order coffee", "description": "for the office", "due_at": due})
    assert made.status_code == 201
    task = made.json()
    client.post("/tasks", json={"title": "Water the plants"})

    assert {item["title"] for item in client.get("/tasks").json()["items"]} == {"Order coffee", "Water the plants"}
    assert [item["id"] for item in client.get("/tasks", params={"q": "COFFEE"}).json()["items"]] == [task["id"]]

    changed = client.patch(f"/tasks/{task['id']}", json={"status": "done"})
    assert changed.json()["status"] == "done"
    assert [item["id"] for item in client.get("/tasks", params={"status": "done"}).json()["items"]] == [task["id"]]

    assert client.delete(f"/tasks/{task['id']}").status_code == 204
    gone = client.get(f"/tasks/{task['id']}")
    assert gone.status_code == 404
    assert gone.headers["content-type"].startswith("application/problem+json")


def test_pages_follow_one_another_without_gap_or_repetition(account: Account) -> None:
    titles = [f"Task {number:02}" for number in range(7)]
    for title in titles:
        account.client.post("/tasks", json={"title": title})

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "3", "sort": "title"} | ({"cursor": cursor} if cursor else {})
        page = account.client.get("/tasks", params=query).json()
        seen += [item["title"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == titles


def test_a_used_refresh_token_and_a_logged_out_token_are_refused(account: Account) -> None:
    old = {"refresh_token": account.tokens["refresh_token"]}
    for _ in range(2):  # a second time for an answer that got lost
        assert account.client.post("/auth/refresh", json=old).status_code == 200
    wait_for(lambda: account.client.post("/auth/refresh", json=old).status_code == 401, "its time is over")

    account.log_in()
    assert account.client.get("/users/me").status_code == 200
    assert account.client.post("/auth/logout").status_code == 204
    assert account.client.get("/users/me").status_code == 401


def test_another_person_can_not_see_the_task(system: System, account: Account) -> None:
    task = account.client.post("/tasks", json={"title": "Mine"}).json()
    with Account.create(system.api) as other:
        assert other.client.get(f"/tasks/{task['id']}").status_code == 404
        assert other.client.delete(f"/tasks/{task['id']}").status_code == 404


def test_the_document_of_the_api_is_served(system: System) -> None:
    document = httpx.get(f"{system.api}/openapi.json", timeout=30).json()
    assert "/api/v1/tasks" in document["paths"]


def test_the_front_end_does_the_same_in_a_browser(system: System, artefacts: Path) -> None:
    run_flow(system.url, artefacts / "front-end.png")
