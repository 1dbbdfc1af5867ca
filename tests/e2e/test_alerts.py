"""Phase 3 tells somebody when requests fail: from the first error to the call of the web hook."""

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
from tests.e2e.faults import nobody_may_create_tasks, wait_until_whole
from tests.e2e.load import steady_load
from tests.e2e.system import System, machine_address, wait_for

pytestmark = pytest.mark.phases(3)

SECRET = "task-manager-alerts"
RATE = 40


@dataclass
class Receiver:
    """Somebody's web hook: what Alertmanager has told it, and when."""

    address: str
    told: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def heard(self, alert: str) -> float:
        """Return when the alert was first told, in seconds since the epoch; 0 if it was not."""
        return next((at for at, told in self.told if told["groupLabels"].get("alertname") == alert), 0.0)


@pytest.fixture
def receiver(system: System) -> Iterator[Receiver]:
    """A web hook on the address of this machine that pods reach, in the Secret that Alertmanager reads."""
    host = machine_address()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.told.append((time(), body))
            self.send_response(204)
            self.end_headers()

    with ThreadingHTTPServer((host, 0), Handler) as server:
        found = Receiver(f"http://{host}:{server.server_port}/")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        system.kubectl("create", "secret", "generic", SECRET, f"--from-literal=url={found.address}").ok()
        try:
            restart = ("delete", "pod", "--selector", "app.kubernetes.io/component=alertmanager")
            system.kubectl(*restart).ok()  # rather than to wait until the kubelet looks at the Secret again
            wait_until_whole(system)
            yield found
        finally:
            system.kubectl("delete", "secret", SECRET)
            server.shutdown()


def test_an_injected_error_rate_pages(
    system: System, account: Account, receiver: Receiver, tmp_path: Path, artefacts: Path
) -> None:
    wait_until_whole(system)
    reads, tasks = [f"{system.api}/users/me"], f"{system.api}/tasks"
    with steady_load(tmp_path, reads, account.token, rate=RATE, tasks=tasks) as load:
        wait_for("the load runs", lambda: load.sent > 10 * RATE)
        assert not receiver.heard("ErrorBudgetBurnsFast")
        with nobody_may_create_tasks(system):
            began = time()
            # more than 1.44 % of the requests of an hour must fail, and there may have been many
            wait_for("somebody is told", lambda: receiver.heard("ErrorBudgetBurnsFast"), seconds=600)
    share = load.failures / sum(answer.sent > began for answer in load.answers)
    row = {"share of errors": round(share, 2), "told after s": round(receiver.heard("ErrorBudgetBurnsFast") - began, 1)}
    (artefacts / "page.json").write_text(json.dumps(row) + "\n")
    [page] = [told for _, told in receiver.told if told["groupLabels"]["alertname"] == "ErrorBudgetBurnsFast"][:1]
    assert page["commonLabels"]["severity"] == "page"
    assert page["commonAnnotations"]["runbook_url"].endswith("/ErrorBudgetBurnsFast.md")
