"""An error rate pages somebody: through the rules, Prometheus, Alertmanager and the web hook, all of them real."""

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

import yaml

from infra.components.observability import alertmanager
from infra.components.observability.prometheus import RULES
from local import tools
from monitoring.prometheus import Prometheus
from tests.support.ports import free_port, wait_for
from tests.support.prometheus import prometheus_of


class Traffic:
    """Answers of an API at 100 requests a second, of which some fail once that is asked for."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._failing = float("inf")

    def fail(self) -> None:
        """From now on one answer in twenty is an error."""
        self._failing = time.monotonic()

    def metrics(self) -> str:
        now = time.monotonic()
        every, failed = 100 * (now - self._begun), 5 * max(0, now - self._failing)
        return (
            f'flask_http_request_total{{status="200"}} {every - failed}\n'
            f'flask_http_request_total{{status="500"}} {failed}\n'
        )


@contextmanager
def web_hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address, and the alerts that it has been told of."""
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
    """Run the program's Alertmanager, which tells this web hook, and say where it listens."""
    secret = folder / "url"
    secret.write_text(hook)
    config = alertmanager.configuration()
    config["receivers"][0]["webhook_configs"] = [{"url_file": str(secret)}]
    (folder / "alertmanager.yaml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    command = [
        str(tools.build("alertmanager") / "alertmanager"),
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
    """Return how long after the first error the web hook is told of a page.

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
            rule_files=[f"{RULES}/slo.yaml"],
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
        assert [(alert["labels"]["alertname"], alert["labels"]["severity"]) for alert in told] == [
            ("ErrorBudgetBurnsFast", "page")
        ]
    return took


def test_an_error_rate_of_five_percent_pages(tmp_path: Path) -> None:
    assert seconds_to_page(tmp_path, 1) < 20
