"""Redis client with short time-outs, for the request path."""

from typing import TYPE_CHECKING, Any, TypeVar, cast

from app.core.settings import Settings

if TYPE_CHECKING:
    from redis import Redis, RedisCluster

    from app.core.observability.tracing import Traces

Client = TypeVar("Client", "Redis", "RedisCluster")

TIMEOUT = 0.25
"""Seconds to connect, and to wait for an answer. In one network it comes within a few milliseconds; but a pod that has
used up its share of the processor stands still for up to 0.1 s."""


def connect(settings: Settings, traces: "Traces | None" = None) -> "Redis | None":
    """Return a client of the settings' Redis, or None where there is none. Nothing is opened yet.

    A cluster's client has the same commands, each for keys of one slot.

    Args:
        traces: note its commands.
    """
    if settings.redis_url is None and settings.redis_host is None:
        return None
    # imported here: phase 1 has no Redis, and starts faster without
    from redis import RedisCluster
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from app.core.cache.cluster_client import LazyCluster
    from app.core.cache.thread_connections import SocketTimeoutConnection, ThreadLocalClient, ThreadLocalConnections

    def noted(client: "Client") -> "Client":
        if traces:
            traces.watch(client)
        return client

    url = settings.redis_url.get_secret_value() if settings.redis_url else f"redis://{settings.redis_host}"
    given: dict[str, Any] = {} if settings.redis_url else {"port": settings.redis_port}
    if settings.redis_user is not None:
        given["username"] = settings.redis_user
    if settings.redis_password is not None:
        given["password"] = settings.redis_password.get_secret_value()
    given |= {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT, "health_check_interval": 30}
    # A connection that has died is noticed by its next use: one more try, at once. The default waits for seconds.
    given["retry"] = Retry(NoBackoff(), 1)
    if settings.redis_cluster:
        # A shard without servers is no reason not to ask the others. Whenever the client looks for the shards anew, it
        # begins with the name that is set: one that it has learned may be gone (redis-py issue 3604).
        given |= {"require_full_coverage": False, "dynamic_startup_nodes": False}
        return cast("Redis", LazyCluster(lambda: noted(RedisCluster.from_url(url, **given))))
    if url.startswith("redis://"):  # others, as of TLS, have a class of their own
        given["connection_class"] = SocketTimeoutConnection
    return noted(ThreadLocalClient(connection_pool=ThreadLocalConnections.from_url(url, **given)))
