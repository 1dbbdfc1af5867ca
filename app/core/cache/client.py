"""Redis client with short time-outs, for the request path."""

from typing import TYPE_CHECKING, Any, TypeVar, cast

from app.core.settings import Settings

if TYPE_CHECKING:
    from redis import Redis, RedisCluster

    from app.core.observability.tracing import Traces

Client = TypeVar("Client", "Redis", "RedisCluster")

TIMEOUT = 0.25
"""Connect and read time-out, seconds. In one network replies come within a few milliseconds, but a pod throttled at its
CPU limit stands still for up to 0.1 s."""


def connect(settings: Settings, traces: "Traces | None" = None) -> "Redis | None":
    """Return a client of the configured Redis, or None if none is configured. It connects at its first command.

    The client of a Redis Cluster has the same commands, each for keys of one slot.

    Args:
        traces: records a span for each command.
    """
    if settings.redis_url is None and settings.redis_host is None:
        return None
    # imported here: phase 1 has no Redis, and starts faster without the library
    from redis import RedisCluster
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from app.core.cache.cluster_client import LazyCluster
    from app.core.cache.thread_connections import SocketTimeoutConnection, ThreadLocalClient, ThreadLocalConnections

    def traced(client: "Client") -> "Client":
        if traces:
            traces.watch(client)
        return client

    url = settings.redis_url.get_secret_value() if settings.redis_url else f"redis://{settings.redis_host}"
    options: dict[str, Any] = {} if settings.redis_url else {"port": settings.redis_port}
    if settings.redis_user is not None:
        options["username"] = settings.redis_user
    if settings.redis_password is not None:
        options["password"] = settings.redis_password.get_secret_value()
    options |= {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT, "health_check_interval": 30}
    # A dead connection is noticed at its next use: one immediate retry. The default backs off for seconds.
    options["retry"] = Retry(NoBackoff(), 1)
    if settings.redis_cluster:
        # The other shards stay usable while one has no server. Topology refreshes start from the configured name: an
        # address learned before may be gone (redis-py issue 3604).
        options |= {"require_full_coverage": False, "dynamic_startup_nodes": False}
        return cast("Redis", LazyCluster(lambda: traced(RedisCluster.from_url(url, **options))))
    if url.startswith("redis://"):  # other schemes, such as rediss, have their own connection class
        options["connection_class"] = SocketTimeoutConnection
    return traced(ThreadLocalClient(connection_pool=ThreadLocalConnections.from_url(url, **options)))
