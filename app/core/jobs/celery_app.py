"""Celery application. Messages only name jobs: the table is the truth, so lost or doubled ones do no harm."""

import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from pydantic import SecretStr

from app.core.settings import Settings

if TYPE_CHECKING:
    from celery import Celery
    from celery.app.task import Task

QUEUE = "jobs"

PING = "worker.ping"

BROKER_TIMEOUT = 10
"""Seconds to wait for an answer of the broker."""

PING_LIFETIME = 60
"""Seconds for which a ping waits to be taken. One that is older tells nothing any more."""

PING_QUEUE_LIFETIME = 3600
"""Seconds after which the broker forgets the queue of a worker that has gone."""

FIRST, LAST = 0, 9
"""Priorities, as Redis has them: each is a list of its own."""


class CeleryTransport:
    """Messages of a Celery application.

    Args:
        celery: the application.
        task: what workers do with a message.
    """

    def __init__(self, celery: "Celery", task: "Task[[str], None]") -> None:
        self.celery = celery
        self._task = task

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """The exceptions that tell that the broker is away."""
        from kombu.exceptions import OperationalError
        from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 of the broker's client

        return (OperationalError, ConnectionError, TimeoutError, OSError)

    def consume_pings(self, taken: Callable[[], None]) -> Callable[[], None]:
        """Let this process, a worker, consume a queue of its own, and return what sends a ping to that.

        Args:
            taken: called for each ping that is taken.
        """
        from kombu import Exchange, Queue

        own = f"worker.{socket.gethostname()}.{uuid4().hex}"
        jobs = Queue(QUEUE, Exchange(QUEUE, type="direct"), routing_key=QUEUE)
        # The broker's own exchange leads to every queue by its name: no binding has to be kept.
        pings = Queue(own, Exchange(""), routing_key=own, expires=PING_QUEUE_LIFETIME)
        self.celery.conf.task_queues = (jobs, pings)

        @self.celery.task(name=PING)
        def task() -> None:
            taken()

        for name in ("celery.worker.strategy", "celery.app.trace"):
            logging.getLogger(name).addFilter(lambda record: PING not in record.getMessage())

        def ping() -> None:
            task.apply_async(queue=own, retry=False, expires=PING_LIFETIME)

        return ping

    def send(self, job_id: UUID, left: bool) -> None:
        # Without the default's patience: the announcer comes again by itself.
        self._task.apply_async((str(job_id),), retry=False, priority=FIRST if left else LAST)

    def waiting(self) -> int:
        with self.celery.connection_or_acquire() as connection, connection.channel() as channel:
            return int(channel.queue_declare(queue=QUEUE, durable=True, auto_delete=False).message_count)


def broker_url(settings: Settings) -> str:
    """Return where the messages go: the setting, whole or in parts, or database 1 of the settings' Redis."""
    from urllib.parse import urlsplit, urlunsplit

    if settings.broker_url is not None:
        return settings.broker_url.get_secret_value()
    if settings.broker_host is not None:
        return _url(settings.broker_host, settings.broker_port, settings.broker_user, settings.broker_password, 0)
    if settings.redis_url is not None:
        return urlunsplit(urlsplit(settings.redis_url.get_secret_value())._replace(path="/1"))
    return _url(str(settings.redis_host), settings.redis_port, settings.redis_user, settings.redis_password, 1)


def _url(host: str, port: int, user: str | None, password: SecretStr | None, database: int) -> str:
    from urllib.parse import quote

    login = f"{quote(user or '', safe='')}:{quote(password.get_secret_value(), safe='')}@" if password else ""
    return f"redis://{login}{host}:{port}/{database}"


def carrier(settings: Settings, run: Callable[[UUID], None]) -> CeleryTransport:
    """Return the Celery application, as what carries messages.

    Args:
        settings: with a broker.
        run: does a job; called by workers.
    """
    from celery import Celery

    celery = Celery("task-manager", broker=broker_url(settings), set_as_current=False)
    celery.conf.update(
        # A message is taken off when its job has ended, not when it has begun: a worker that dies gives it back.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_default_queue=QUEUE,
        worker_prefetch_multiplier=1,
        broker_transport_options={
            # Else a broker that stands still holds whoever asks it for good.
            "socket_timeout": BROKER_TIMEOUT,
            "socket_connect_timeout": BROKER_TIMEOUT,
            "socket_keepalive": True,
            "visibility_timeout": settings.visibility_timeout,
            # how often it looks for messages that were not acknowledged in time: by default every 100 seconds
            "unacked_restore_interval": settings.visibility_timeout / 2,
            "unacked_restore_throttle": 1,
        },
        broker_connection_retry_on_startup=True,
        worker_soft_shutdown_timeout=settings.graceful_timeout,
        worker_enable_soft_shutdown_on_idle=False,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )

    @celery.task(name="jobs.run")
    def task(job_id: str) -> None:
        run(UUID(job_id))

    return CeleryTransport(celery, task)
