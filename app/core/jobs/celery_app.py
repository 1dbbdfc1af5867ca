"""Celery application. Messages hold only the id of a job, whose state is in the table: lost or repeated messages do no
harm."""

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
"""Seconds to wait for a connection to the broker, and for an answer of it."""

PING_LIFETIME = 60
"""Seconds after which a ping in the queue expires: an older one is no sign of liveness."""

PING_QUEUE_LIFETIME = 3600
"""Seconds after which the broker deletes the queue of a worker that has gone."""

FIRST, LAST = 0, 9
"""Highest and lowest priority on Redis, where each is a list of its own; RabbitMQ counts the other way round."""

LONGEST_JOB = 24 * 3600
"""Seconds after which RabbitMQ takes a message back that is not acknowledged; by default half an hour (4.0)."""


class CeleryTransport:
    """Transport of messages by Celery.

    Args:
        celery: the application.
        task: Celery task that runs a job.
        queue: name of the queue of jobs.
        rabbitmq: whether the broker is RabbitMQ.
    """

    def __init__(self, celery: "Celery", task: "Task[[str], None]", queue: str, rabbitmq: bool) -> None:
        self.celery = celery
        self._task = task
        self._queue = queue
        self._rabbitmq = rabbitmq

    @property
    def node(self) -> str:
        """Node name of this worker. On RabbitMQ its control queue is exclusive: one of the same name could not start
        beside it, nor soon after it was killed. On Redis each name would leave keys behind."""
        return uuid4().hex if self._rabbitmq else "celery"

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """The exceptions that mean that the broker is unavailable."""
        from amqp.exceptions import AMQPError
        from kombu.exceptions import OperationalError
        from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 exceptions of the broker's client

        return (OperationalError, AMQPError, ConnectionError, TimeoutError, OSError)

    def consume_pings(self, taken: Callable[[], None]) -> Callable[[], None]:
        """Let this worker consume a queue of its own besides the jobs, and return a function that sends a ping to it.

        Args:
            taken: called for each ping that the worker consumes.
        """
        from kombu import Exchange, Queue

        exchange, arguments = "direct", {}
        if self._rabbitmq:
            exchange = "topic"  # as Celery expects it beside quorum queues
            arguments = {"x-queue-type": "quorum", "x-consumer-timeout": LONGEST_JOB * 1000}
        own = f"worker.{socket.gethostname()}.{uuid4().hex}"
        jobs = Queue(
            self._queue, Exchange(self._queue, type=exchange), routing_key=self._queue, queue_arguments=arguments
        )
        # The broker's default exchange routes to every queue by its name: no binding has to be stored.
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
        # No retries, as by default: the announcer sends again by itself.
        first, last = (LAST, FIRST) if self._rabbitmq else (FIRST, LAST)
        self._task.apply_async((str(job_id),), retry=False, priority=first if left else last)

    def waiting(self) -> int:
        from amqp.exceptions import NotFound

        with self.celery.connection_or_acquire() as connection:
            channel = connection.channel()
            try:
                declared = channel.queue_declare(
                    queue=self._queue, durable=True, auto_delete=False, passive=self._rabbitmq
                )
            except NotFound:  # which closes the channel
                return 0
            channel.close()
        return int(declared.message_count)


def broker_url(settings: Settings) -> str:
    """Return the broker's URL: the setting, or one made from its parts, or a virtual host of the RabbitMQ that carries
    events, or database 1 of the settings' Redis."""
    from urllib.parse import urlsplit, urlunsplit

    if settings.broker_virtual_host is not None:
        from app.core.events import rabbitmq

        return rabbitmq.broker_url(settings, settings.broker_virtual_host)
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


def celery_transport(settings: Settings, run: Callable[[UUID], None], service: str | None = None) -> CeleryTransport:
    """Return the transport of a new Celery application.

    Args:
        settings: with a broker.
        run: runs a job; called by workers.
        service: the service whose jobs it carries, in a queue of its own; None for those of all.
    """
    from celery import Celery

    queue = f"{QUEUE}.{service}" if service else QUEUE

    url = broker_url(settings)
    rabbitmq = url.startswith("amqp")
    celery = Celery("task-manager", broker=url, set_as_current=False)
    celery.conf.update(
        **(_rabbitmq_options(url, settings) if rabbitmq else _redis_options(settings)),
        # Acknowledged when the job has ended, not when it begins: the message of a worker that dies is redelivered.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_default_queue=queue,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        worker_soft_shutdown_timeout=settings.graceful_timeout,
        worker_enable_soft_shutdown_on_idle=False,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )

    @celery.task(name="jobs.run")
    def task(job_id: str) -> None:
        run(UUID(job_id))

    return CeleryTransport(celery, task, queue, rabbitmq)


# In both, without the time-outs a frozen broker would block its clients for ever.


def _redis_options(settings: Settings) -> dict[str, object]:
    options = {
        "global_keyprefix": settings.redis_prefix,
        "socket_timeout": BROKER_TIMEOUT,
        "socket_connect_timeout": BROKER_TIMEOUT,
        "socket_keepalive": True,
        "visibility_timeout": settings.visibility_timeout,
        # seconds between checks for messages that were not acknowledged in time; by default up to 100
        "unacked_restore_interval": settings.visibility_timeout / 2,
        "unacked_restore_throttle": 1,
    }
    return {"broker_transport_options": options}


def _rabbitmq_options(url: str, settings: Settings) -> dict[str, object]:
    from app.core.events.rabbitmq import tls_options

    options = {"confirm_publish": True, "read_timeout": BROKER_TIMEOUT, "write_timeout": BROKER_TIMEOUT}
    return {
        "broker_transport_options": options,
        "broker_use_ssl": tls_options(url, settings.events_ca_file),
        "task_default_queue_type": "quorum",
        "task_default_exchange_type": "topic",
    }
