"""A Redis client for a request's path: it gives up fast, because every caller can do without."""

from typing import TYPE_CHECKING

from app.platform.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT = 0.5
"""Seconds to connect, and to wait for an answer."""


def connect(settings: Settings) -> "Redis | None":
    """Return a client of the settings' Redis, or None where there is none. Nothing is opened yet."""
    if settings.redis_url is None and settings.redis_host is None:
        return None
    # imported here: phase 1 has no Redis, and starts faster without
    from redis import Redis

    if settings.redis_url is not None:
        return Redis.from_url(
            settings.redis_url.get_secret_value(),
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            health_check_interval=30,
        )
    password = settings.redis_password
    return Redis(
        host=settings.redis_host or "",
        port=settings.redis_port,
        password=password.get_secret_value() if password else None,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        health_check_interval=30,
    )
