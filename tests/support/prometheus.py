"""A real Prometheus with one fake target."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

from local.tools import go_tools
from monitoring.prometheus import Prometheus
from tests.support.ports import free_port, wait_for


@contextmanager
def prometheus_of(metrics: Callable[[], str], folder: Path, *, seconds: float = 0.2, **config: object) -> Iterator[str]:
    """Run a Prometheus until the block ends; it has scraped twice when the block begins.

    Args:
        metrics: returns the target's metrics in Prometheus's text format.
        folder: empty folder for configuration and samples.
        seconds: scrape and evaluation interval.
        config: further configuration, such as `rule_files`.

    Returns:
        Its URL.
    """
    port = free_port()
    with _target(metrics) as target:
        interval = f"{seconds * 1000:g}ms"
        config |= {
            "global": dict.fromkeys(("scrape_interval", "scrape_timeout", "evaluation_interval"), interval),
            "scrape_configs": [{"job_name": "made-up", "static_configs": [{"targets": [target]}]}],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        command = [
            str(go_tools.build("prometheus") / "prometheus"),
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'samples'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        url = f"http://127.0.0.1:{port}"
        with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                wait_for(lambda: _has_looked_twice(url), f"Prometheus has read {target}")
                yield url
            finally:
                process.terminate()


def _has_looked_twice(url: str) -> bool:
    try:
        return bool(Prometheus(url).now("count_over_time(up[1m]) > 1"))
    except OSError:  # not listening yet
        return False


@contextmanager
def _target(metrics: Callable[[], str]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(metrics().encode())

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name for it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
