"""A client of a Redis Cluster that can be made while the cluster is away, as a client of one server can."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from redis import ConnectionError as RedisConnectionError
from redis import RedisCluster
from redis.exceptions import RedisClusterException


class LazyCluster:
    """Opened by its first use, and by the next one as long as none of its servers answers.

    redis-py's client asks for the shards as it is made, and says with an error that is no RedisError that it finds
    none: here that is a ConnectionError, whenever it happens.

    Args:
        connect: makes the client.
    """

    def __init__(self, connect: Callable[[], RedisCluster]) -> None:
        self._connect = connect
        self._client: RedisCluster | None = None
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def command(*arguments: Any, **options: Any) -> Any:
            return self._call(lambda client: getattr(client, name)(*arguments, **options))

        return command

    def register_script(self, script: str) -> Callable[[Sequence[str], Sequence[Any]], Any]:
        """Return what runs a script, given its keys, all of one slot, and its arguments."""
        registered: list[Any] = []

        def run(keys: Sequence[str], args: Sequence[Any]) -> Any:
            def call(client: RedisCluster) -> Any:
                if not registered:
                    registered.append(client.register_script(script))
                return registered[0](keys, args)

            return self._call(call)

        return run

    def _call(self, command: Callable[[RedisCluster], Any]) -> Any:
        try:
            if self._client is None:
                with self._lock:
                    self._client = self._client or self._connect()
            return command(self._client)
        except RedisClusterException as error:
            raise RedisConnectionError(str(error)) from error
