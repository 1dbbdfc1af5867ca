"""gunicorn configuration (module-level names are gunicorn's), from the settings."""

import gc
import os
import time
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from app.core.observability import logging, telemetry
from app.core.settings import load_settings
from app.server.client_socket import ClientLimits
from app.server.worker import Worker

# Off until the application is loaded: collections during imports free nothing, and take a tenth of the start-up.
gc.disable()

settings = load_settings()
also = telemetry.processors(settings)
logging.configure(settings.logs_as, settings.log_level, also)

_address = f"[{settings.listen_address}]" if ":" in settings.listen_address else settings.listen_address
bind = [f"{_address}:{port}" for port in sorted({settings.port, settings.metrics_listen_port})]
# One process: its metrics are in process memory, and a pod's CPU limit is about one core. Scale by pods, not
# processes.
workers = 1
threads = settings.threads
worker_connections = settings.connections
# Load the application before the fork, so that an error in it fails the start instead of restarting workers forever.
preload_app = True
graceful_timeout = settings.graceful_timeout
timeout = 60
# Longer than the 90 s after which proxies (Traefik, Go's HTTP client) close idle connections: else the server could
# close one just when a request is on its way.
keepalive = 120
limit_request_line = 8190
# The heartbeat file must not wait for a disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
control_socket_disable = True
logconfig_dict = logging.configuration(settings.logs_as, settings.log_level, also)


class worker_class(Worker):  # noqa: N801 gunicorn finds it by this name
    """The worker, with time-outs from the settings."""

    limits = ClientLimits(settings.header_timeout, settings.client_stall_timeout, settings.client_minimum_rate)
    waiting_threads = settings.client_threads


class logger_class(Logger):  # type: ignore[misc] # noqa: N801 gunicorn finds it by this name
    """gunicorn's log, without its access log: app.core.http.middleware logs requests."""

    def access(self, *_arguments: Any) -> None:
        """Write nothing."""


def when_ready(_server: Any) -> None:
    """Enable garbage collection, except of what is loaded: its memory stays shared with the worker (copy-on-write)."""
    gc.freeze()
    gc.enable()


def post_worker_init(worker: Any) -> None:
    """Start the threads of jobs and traces, which would not survive the fork."""
    if traces := worker.wsgi.extensions.get("telemetry"):
        traces.start()
    if jobs := worker.wsgi.extensions.get("inline_jobs"):
        jobs.start()


def worker_exit(_server: Any, worker: Any) -> None:
    """Stop jobs and traces. A job's current step gets 3 s to end; else it is rolled back, and retried later."""
    if jobs := worker.wsgi.extensions.get("inline_jobs"):
        jobs.stop(seconds=3)
    if traces := worker.wsgi.extensions.get("telemetry"):
        traces.stop()


class _DrainFile:
    """The file that marks the pod as draining, checked at most ten times a second.

    A check for each request would release the GIL each time, and wait to get it back.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._exists = False
        self._next_check = 0.0

    def exists(self) -> bool:
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + 0.1
            self._exists = self._file.exists()
        return self._exists


_drain_file = _DrainFile(settings.drain_file)


def pre_request(_worker: Any, request: Any) -> None:
    """Send `Connection: close` while the pod drains (see app.cli.drain)."""
    if _drain_file.exists():
        request.force_close()
