"""Redis Cluster client that connects lazily."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from redis import ConnectionError as RedisConnectionError
from redis import RedisCluster
from redis.exceptions import RedisClusterException

P = ParamSpec("P")
T = TypeVar("T")


def together(function: Callable[P, T]) -> Callable[P, T]:
    """Let threads that call a function at the same time wait for one of the calls, and all have what comes of it."""
    turn = threading.Lock()
    latest: Future[T] = Future()

    def shared(*args: P.args, **kwargs: P.kwargs) -> T:
        nonlocal latest
        seen = latest
        with turn:
            if latest is seen:
                made: Future[T] = Future()
                try:
                    made.set_result(function(*args, **kwargs))
                except Exception as error:  # noqa: BLE001 raised again for each of them
                    made.set_exception(error)
                latest = made
        return latest.result()

    return shared


class LazyCluster:
    """Opened by its first use, and by the next one as long as none of its servers answers.

    redis-py's client asks for the shards as it is made, and says with an error that is no RedisError that it finds
    none: here that is a ConnectionError, whenever it happens.

    It looks for the shards anew after each error, one thread after the other, each until its own time-out: of eight the
    last would give a cluster that is silent up after more than two seconds. Here they look together.

    Args:
        connect: makes the client.
    """

    def __init__(self, connect: Callable[[], RedisCluster]) -> None:
        self._open = together(lambda: _looking_together(connect()))
        self._client: RedisCluster | None = None

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
                self._client = self._open()
            return command(self._client)
        except RedisClusterException as error:
            raise RedisConnectionError(str(error)) from error


def _looking_together(client: RedisCluster) -> RedisCluster:
    shards: Any = client.nodes_manager
    shards.initialize = together(shards.initialize)
    return client
