"""A Redis client for a request's path: it gives up fast, because every caller can do without."""

from typing import TYPE_CHECKING

from app.platform.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT = 0.25
"""Seconds to connect, and to wait for an answer. In one network it comes within a few milliseconds; but a pod that has
used up its share of the processor stands still for up to 0.1 s."""


def connect(settings: Settings) -> "Redis | None":
    """Return a client of the settings' Redis, or None where there is none. Nothing is opened yet."""
    if settings.redis_url is None and settings.redis_host is None:
        return None
    # imported here: phase 1 has no Redis, and starts faster without
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from app.platform.own_connections import OwnConnectionClient, OwnConnections

    url = settings.redis_url.get_secret_value() if settings.redis_url else f"redis://{settings.redis_host}"
    given: dict[str, object] = {} if settings.redis_url else {"port": settings.redis_port}
    if settings.redis_password is not None:
        given["password"] = settings.redis_password.get_secret_value()
    pool = OwnConnections.from_url(
        url,
        **given,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        health_check_interval=30,
        # A connection that has died is noticed by its next use: one more try, at once. The default waits for seconds.
        retry=Retry(NoBackoff(), 1),
    )
    return OwnConnectionClient(connection_pool=pool)
