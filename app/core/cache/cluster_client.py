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
    """Single flight: threads that call the function at the same time share one call and its result or error."""
    lock = threading.Lock()
    latest: Future[T] = Future()

    def shared(*args: P.args, **kwargs: P.kwargs) -> T:
        nonlocal latest
        seen = latest
        with lock:
            if latest is seen:
                call: Future[T] = Future()
                try:
                    call.set_result(function(*args, **kwargs))
                except Exception as error:  # noqa: BLE001 raised in each of the threads
                    call.set_exception(error)
                latest = call
        return latest.result()

    return shared


class LazyCluster:
    """A RedisCluster that connects at its first command, and retries at the next one while no server answers.

    redis-py's client discovers the topology in its constructor, and fails with an error that is no RedisError if no
    server answers: here that is a ConnectionError, whenever it happens.

    After each error it refreshes the topology, one thread after the other, each until its own time-out: with a silent
    cluster the last of eight threads would fail after more than two seconds. Here they share one refresh.

    Args:
        connect: creates the client.
    """

    def __init__(self, connect: Callable[[], RedisCluster]) -> None:
        self._open = together(lambda: _shared_refresh(connect()))
        self._client: RedisCluster | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def command(*arguments: Any, **options: Any) -> Any:
            return self._call(lambda client: getattr(client, name)(*arguments, **options))

        return command

    def register_script(self, script: str) -> Callable[[Sequence[str], Sequence[Any]], Any]:
        """Return a function that runs a script, given its keys, all of one slot, and its arguments."""
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


def _shared_refresh(client: RedisCluster) -> RedisCluster:
    """Let concurrent topology refreshes share one."""
    nodes: Any = client.nodes_manager
    nodes.initialize = together(nodes.initialize)
    return client
