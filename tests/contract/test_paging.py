"""Paging by an error rate, through real rules, Prometheus, Alertmanager and web hook."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
import yaml

from infra.components.observability import alertmanager
from infra.components.observability.prometheus import RULES
from infra.components.observability.receivers import SECRET_FOLDER, Routing
from infra.config.types import Receiver
from local.tools import go_tools
from monitoring import catalogue
from monitoring.prometheus import Prometheus
from tests.support.ports import free_port, wait_for
from tests.support.prometheus import prometheus_of


class Traffic:
    """Metrics of an API at 100 requests a second, of which some fail after `fail`."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._failing = float("inf")

    def fail(self) -> None:
        """Let one response in twenty be an error from now on."""
        self._failing = time.monotonic()

    def metrics(self) -> str:
        now = time.monotonic()
        every, failed = 100 * (now - self._begun), 5 * max(0, now - self._failing)
        return (
            f'flask_http_request_total{{service="all",status="200"}} {every - failed}\n'
            f'flask_http_request_total{{service="all",status="500"}} {failed}\n'
        )


@contextmanager
def web_hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of a web hook, and its notifications."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name for it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", told
        server.shutdown()


@contextmanager
def alertmanager_to(hook: str, folder: Path) -> Iterator[str]:
    """Run the program's Alertmanager with this web hook; yield its address."""
    secret = folder / "url"
    secret.write_text(hook)
    routing = Routing(page=(Receiver.WEBHOOK,), ticket=(Receiver.WEBHOOK,), webhook_port=443)
    config = yaml.safe_dump(alertmanager.configuration(routing))
    (folder / "alertmanager.yaml").write_text(config.replace(SECRET_FOLDER, str(folder)))
    address = f"127.0.0.1:{free_port()}"
    command = [
        str(go_tools.build("alertmanager") / "alertmanager"),
        f"--config.file={folder / 'alertmanager.yaml'}",
        f"--storage.path={folder / 'silences'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (folder / "alertmanager.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield address
        finally:
            process.terminate()


def seconds_to_page(folder: Path, interval: float) -> float:
    """Return how long after the first error the web hook is called with a page.

    Args:
        interval: seconds between looks and evaluations; the program's own is `prometheus.INTERVAL`.
    """
    traffic = Traffic()
    with (
        web_hook() as (hook, told),
        alertmanager_to(hook, folder) as address,
        prometheus_of(
            traffic.metrics,
            folder,
            seconds=interval,
            rule_files=[f"{RULES}/slo.yaml", f"{RULES}/objectives.yaml"],
            alerting={"alertmanagers": [{"static_configs": [{"targets": [address]}]}]},
        ) as url,
    ):
        prometheus = Prometheus(url)
        wait_for(lambda: bool(prometheus.now("task_manager:request_errors:ratio_rate5m == 0")), "no request fails")
        assert told == []
        traffic.fail()
        began = time.monotonic()
        wait_for(lambda: bool(told), "somebody is paged", 20 + 6 * interval)
        took = time.monotonic() - began
        [labels] = [alert["labels"] for alert in told]
        assert labels == {"alertname": "ErrorBudgetBurnsFast", "severity": "page", "service": "all"}
    return took


def test_prometheus_exports_what_rules_ask_of_itself(tmp_path: Path) -> None:
    with prometheus_of(
        lambda: "queue_depth 3\n",
        tmp_path,
        rule_files=[f"{RULES}/targets.yaml"],
        alerting={"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{free_port()}"]}]}]},
    ) as url:
        text = requests.get(f"{url}/metrics", timeout=10).text
    names = {line.partition(" ")[0].partition("{")[0] for line in text.splitlines()}
    assert set(catalogue.exported()["Prometheus, of itself"]) <= names


def test_an_error_rate_of_five_percent_pages(tmp_path: Path) -> None:
    assert seconds_to_page(tmp_path, 1) < 20
