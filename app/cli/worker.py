"""`worker`: run jobs from Celery messages, several at a time."""

import gc
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import UUID

from app.bootstrap.services import ALL, chosen
from app.cli import fail
from app.core.observability import logging, telemetry
from app.core.settings import SettingsError, load_settings

ALIVE = Path(gettempdir(), "worker.alive")
"""Touched while the worker consumes messages; checked by the probes."""


def worker(service: str) -> int:
    """Run a Celery worker until it is terminated.

    Args:
        service: one of app.bootstrap.services.CHOICES.
    """
    try:
        settings = load_settings()
    except SettingsError as error:
        return fail(str(error), 2)
    if not settings.has_broker:
        return fail("APP_BROKER_URL: missing (or give APP_BROKER_VIRTUAL_HOST, APP_REDIS_HOST or APP_REDIS_URL)", 2)
    logging.configure(settings.logs_as, settings.log_level, telemetry.processors(settings))

    from celery import signals

    from app.bootstrap.container import build
    from app.core.clock import utc_now
    from app.core.database.unit_of_work import UnitOfWork
    from app.core.jobs.background import Announcer
    from app.core.jobs.celery_app import celery_transport
    from app.core.jobs.liveness import PERIOD, ConsumerLiveness
    from app.core.jobs.polling_loop import PollingLoop

    parts = build(settings, "worker", chosen(service))

    def run(job_id: UUID) -> None:
        with liveness.job():
            parts.background.runner.run(job_id)

    messages = celery_transport(settings, run, None if service == ALL else service)
    announcer = Announcer(
        parts.platform.storage(UnitOfWork),
        messages,
        parts.background.runner.kinds,
        utc_now,
        settings.visibility_timeout,
    )

    def announce() -> bool:
        announcer.run_once()
        return False  # wait for the next poll: announced jobs take a while

    announcing = PollingLoop("announcer", announce, settings.job_poll)
    ping = messages.consume_pings(lambda: liveness.taken())
    liveness = ConsumerLiveness(ping, messages.errors, ALIVE.touch, settings.worker_concurrency, [announcing])
    loops = (announcing, PollingLoop("liveness", liveness.run_once, PERIOD))

    def begin(**_details: Any) -> None:
        gc.freeze()  # exempt what is loaded from garbage collection, which a long import triggers often
        for loop in loops:
            loop.start()

    def end(**_details: Any) -> None:
        parts.background.runner.stop()
        for loop in loops:
            loop.end()

    signals.worker_ready.connect(begin, weak=False)
    signals.worker_shutting_down.connect(end, weak=False)
    parts.platform.telemetry.start()
    try:
        messages.celery.worker_main(
            [
                "worker",
                # Threads: jobs mostly wait for the database, and a process has a single connection pool.
                "--pool=threads",
                f"--hostname={messages.node}@%h",
                f"--concurrency={settings.worker_concurrency}",
                f"--loglevel={settings.log_level}",
                "--without-gossip",
                "--without-mingle",
            ]
        )
    finally:
        parts.platform.telemetry.stop()
    return 0
