"""Paging: from the first failed request to the call of the web hook."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import time
from typing import Any

import pytest

from tests.e2e.account import Account
from tests.e2e.faults import task_creation_denied, wait_until_ready
from tests.e2e.load import steady_load
from tests.e2e.system import System, machine_address, wait_for

pytestmark = pytest.mark.phases(2, 3)

SECRET = "task-manager-alerts"
RATE = 40


@dataclass
class Receiver:
    """A web hook, with Alertmanager's notifications and their times."""

    address: str
    notifications: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def notified_at(self, alert: str) -> float:
        """Return the time of the alert's first notification, in seconds since the epoch; 0 without one."""
        return next((at for at, body in self.notifications if body["groupLabels"].get("alertname") == alert), 0.0)


@pytest.fixture
def receiver(system: System) -> Iterator[Receiver]:
    """A web hook on the address of this machine that pods reach, in the Secret that Alertmanager reads."""
    host = machine_address()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.notifications.append((time(), body))
            self.send_response(204)
            self.end_headers()

    with ThreadingHTTPServer((host, 0), Handler) as server:
        found = Receiver(f"http://{host}:{server.server_port}/")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        system.kubectl("create", "secret", "generic", SECRET, f"--from-literal=url={found.address}").ok()
        try:
            restart = ("delete", "pod", "--selector", "app.kubernetes.io/component=alertmanager")
            system.kubectl(*restart).ok()  # rather than to wait until the kubelet looks at the Secret again
            wait_until_ready(system)
            yield found
        finally:
            system.kubectl("delete", "secret", SECRET)
            server.shutdown()


def test_an_injected_error_rate_pages(
    system: System, account: Account, receiver: Receiver, tmp_path: Path, artefacts: Path
) -> None:
    wait_until_ready(system)
    reads, tasks = [f"{system.api}/users/me"], f"{system.api}/tasks"
    with steady_load(tmp_path, reads, account.token, rate=RATE, tasks=tasks) as load:
        wait_for("the load runs", lambda: load.sent > 10 * RATE)
        assert not receiver.notified_at("ErrorBudgetBurnsFast")
        with task_creation_denied(system):
            began = time()
            # more than 1.44 % of the requests of an hour must fail, and there may have been many
            wait_for("the web hook is called", lambda: receiver.notified_at("ErrorBudgetBurnsFast"), seconds=600)
    share = load.failures / sum(answer.sent > began for answer in load.responses)
    seconds = round(receiver.notified_at("ErrorBudgetBurnsFast") - began, 1)
    row = {"share of errors": round(share, 2), "told after s": seconds}
    (artefacts / "page.json").write_text(json.dumps(row) + "\n")
    [page] = [body for _, body in receiver.notifications if body["groupLabels"]["alertname"] == "ErrorBudgetBurnsFast"][
        :1
    ]
    assert page["commonLabels"]["severity"] == "page"
    assert page["commonAnnotations"]["runbook_url"].endswith("/ErrorBudgetBurnsFast.md")
