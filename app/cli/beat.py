"""`beat`: scheduler, cleaner and background loops. Safe to run twice: work is claimed, or idempotent."""

import signal
from pathlib import Path
from tempfile import gettempdir

from app.bootstrap.services import chosen
from app.cli import fail
from app.cli.serve import cannot_listen
from app.core.observability import logging, telemetry
from app.core.settings import SettingsError, load_settings

ALIVE = Path(gettempdir(), "beat.alive")
"""Touched while all threads run; checked by the probes."""

SECONDS = 5
"""Seconds between two runs of the cleaner."""


def beat(service: str) -> int:
    """Run until SIGTERM, and serve the metrics of deliveries and queues.

    Args:
        service: one of app.bootstrap.services.CHOICES.
    """
    try:
        settings = load_settings()
    except SettingsError as error:
        return fail(str(error), 2)
    if reason := cannot_listen(settings.listen_address, settings.metrics_listen_port, "APP_METRICS_PORT"):
        return fail(reason)
    logging.configure(settings.logs_as, settings.log_level, telemetry.processors(settings))

    from prometheus_client import start_http_server

    from app.bootstrap.container import build
    from app.core.clock import utc_now
    from app.core.database.unit_of_work import UnitOfWork
    from app.core.jobs.background import Cleaner
    from app.core.jobs.polling_loop import PollingLoop, stop_all
    from app.core.jobs.queue_metrics import QueueDepth
    from app.core.observability.metrics import registry

    parts = build(settings, "beat", chosen(service))
    storage, loops = parts.platform.storage(UnitOfWork), parts.background.loops
    cleaner = Cleaner(storage, utc_now, parts.platform.file_store.sweep, parts.background.rules)

    def run_once() -> bool:
        if all(each.alive for each in loops):
            ALIVE.touch()
        cleaner.run_once()
        return False

    loop = PollingLoop("beat", run_once, SECONDS)

    def end(*_: object) -> None:
        for each in (loop, *loops):
            each.end()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    of_services = (collector for each in parts.services.values() for collector in each.collectors)
    metrics = registry(parts.background.deliveries, QueueDepth(storage, utc_now), *of_services)
    start_http_server(settings.metrics_listen_port, settings.listen_address, metrics)
    parts.platform.telemetry.start()
    for each in loops:
        each.start()
    loop.run()
    stop_all(loops, settings.graceful_timeout)
    parts.platform.telemetry.stop()
    return 0
