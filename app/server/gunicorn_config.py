"""gunicorn's configuration (its names are gunicorn's own), from the settings."""

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

# What is loaded stays: to look through it for garbage, again and again, is a tenth of the start.
gc.disable()

settings = load_settings()
also = telemetry.processors(settings)
logging.configure(settings.logs_as, settings.log_level, also)

_address = f"[{settings.listen_address}]" if ":" in settings.listen_address else settings.listen_address
bind = [f"{_address}:{port}" for port in sorted({settings.port, settings.metrics_listen_port})]
# One process: its metrics live in plain memory, and a pod's CPU limit is about one processor. More pods, not more
# processes.
workers = 1
threads = settings.threads
worker_connections = settings.connections
# The application is loaded before the fork, so that a fault in it ends the start instead of restarting workers forever.
preload_app = True
graceful_timeout = settings.graceful_timeout
timeout = 60
# Longer than the 90 s after which proxies (Traefik, Go's HTTP client) give up an idle connection: so it is never the
# server that closes one just when a request is on its way.
keepalive = 120
limit_request_line = 8190
# The heartbeat must not wait for a disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
control_socket_disable = True
logconfig_dict = logging.configuration(settings.logs_as, settings.log_level, also)


class worker_class(Worker):  # noqa: N801 gunicorn finds it by this name
    """The threaded worker, with the limits of the settings."""

    limits = ClientLimits(settings.header_timeout, settings.client_stall_timeout, settings.client_minimum_rate)
    waiting_threads = settings.client_threads


class logger_class(Logger):  # type: ignore[misc] # noqa: N801 gunicorn finds it by this name
    """gunicorn's log in our format; requests are logged by the application (app.core.http.middleware), once."""

    def access(self, *_arguments: Any) -> None:
        """Write nothing."""


def when_ready(_server: Any) -> None:
    """Begin to collect garbage, but for what has been loaded: so its memory stays shared with the workers too."""
    gc.freeze()
    gc.enable()


def post_worker_init(worker: Any) -> None:
    """Begin to do jobs and to send traces: threads do not survive the fork, so not before it."""
    if traces := worker.wsgi.extensions.get("telemetry"):
        traces.start()
    if jobs := worker.wsgi.extensions.get("inline_jobs"):
        jobs.start()


def worker_exit(_server: Any, worker: Any) -> None:
    """Let the current step of a job end, but don't wait for long: it would be rolled back, and done again."""
    if jobs := worker.wsgi.extensions.get("inline_jobs"):
        jobs.stop(seconds=3)
    if traces := worker.wsgi.extensions.get("telemetry"):
        traces.stop()


class _Mark:
    """The file that says that the pod drains. Ten looks a second are enough for a drain of seconds; one for each
    request would let another thread run each time, and wait for it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._there = False
        self._look_at = 0.0

    def there(self) -> bool:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + 0.1
            self._there = self._file.exists()
        return self._there


_drains = _Mark(settings.drain_file)


def pre_request(_worker: Any, request: Any) -> None:
    """Announce the end of a connection while the pod drains (see app.cli.drain)."""
    if _drains.there():
        request.force_close()
