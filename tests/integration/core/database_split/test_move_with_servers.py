"""Move of the tasks service between real servers: what clients of the former release see."""

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from app.core.database_split.switch import PAUSE
from tests.integration.core.database_split.test_switch import RATE
from tests.integration.core.sqlite_migration.test_copy_under_load import logged_in
from tests.support.ports import wait_for
from tests.support.server import Server, server
from tests.support.split import Move


class Client:
    """A client of the former release's address that creates tasks, and looks whether they are there.

    Attributes:
        outcomes: number of answers by method and status.
        refused: times at which a write was refused.
    """

    def __init__(self, former: Server, token: str) -> None:
        self._client = httpx.Client(base_url=f"{former.url}/api/v1", timeout=30)
        self._client.headers["Authorization"] = f"Bearer {token}"
        self.running = True
        self.created: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.stale: list[str] = []
        self.refused: list[float] = []

    def run(self) -> None:
        while self.running:
            began = time.monotonic()
            answer = self._ask("POST", "/tasks", json={"title": f"Task {uuid4()}"})
            if answer.status_code == 201:
                made = answer.json()["id"]
                self.created.append(made)
                if made not in {task["id"] for task in self._ask("GET", "/tasks?limit=5").json()["items"]}:
                    self.stale.append(made)
            else:
                assert answer.headers["Retry-After"] == "2"
                self.refused.append(time.monotonic())
            time.sleep(max(0.0, 1 / RATE - (time.monotonic() - began)))

    def go_on(self, what: str) -> None:
        """Wait until more tasks have been created."""
        until_now = len(self.created)
        wait_for(lambda: len(self.created) > until_now + RATE, what)

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self._client.request(method, path, **more)
        self.outcomes[f"{method} {answer.status_code}"] += 1
        return answer


def test_clients_of_the_former_servers_are_led_to_the_new_ones(move: Move, tmp_path: Path) -> None:
    inherits = {"APP_DATABASE_INHERITS": "true", "APP_TRUSTED_HOPS": "1"}
    with (
        server(tmp_path, move.former_url) as former,
        server(tmp_path, move.own_url, "tasks", "live", **inherits) as new,
    ):
        tokens = logged_in(former.url)
        named = {"Idempotency-Key": str(uuid4()), "Authorization": f"Bearer {tokens['access_token']}"}

        def once(of: Server) -> str:
            answer = httpx.post(f"{of.url}/api/v1/tasks", json={"title": "Once"}, headers=named, timeout=30)
            return str(answer.raise_for_status().json()["id"])

        first = once(former)
        client = Client(former, tokens["access_token"])
        thread = threading.Thread(target=client.run)
        thread.start()
        try:
            client.go_on("the client is at work")
            move.ready()
            assert httpx.get(f"{new.url}/health/ready").status_code == 503
            client.go_on("it goes on while the copy follows")
            assert client.refused == []
            move.switch(new.url)
            client.go_on("the former server forwards")
            assert httpx.get(f"{new.url}/health/ready").status_code == 200
        finally:
            client.running = False
            thread.join()
        assert once(former) == once(new) == first
        # Who is logged in stays so.
        refresh = {"refresh_token": tokens["refresh_token"]}
        assert httpx.post(f"{former.url}/api/v1/auth/refresh", json=refresh, timeout=30).status_code == 200
    assert client.outcomes.keys() <= {"POST 201", "GET 200", "POST 503"}, client.outcomes
    assert client.stale == []
    # On a busy machine the switch may have been given up before, and repeated: each pause by itself.
    longest = pause = 0.0
    for before, after in zip(client.refused, client.refused[1:], strict=False):
        pause = pause + after - before if after - before < 1 else 0.0
        longest = max(longest, pause)
    assert longest <= PAUSE
    kept = move.administer("SELECT array_agg(id::text) FROM tasks")
    assert sorted(kept) == sorted([*client.created, first])
