"""Celery over RabbitMQ: messages wait in a quorum queue, and each job is done once when workers are killed."""

import json
from collections import Counter
from pathlib import Path
from uuid import uuid4

import pytest

from app.core.database.engine import connect
from app.core.jobs.celery_app import celery_transport
from tests.support.ports import wait_for
from tests.support.rabbitmq import RabbitMq
from tests.support.settings import make_settings
from tests.support.workers import Workers, effects, queue_imports, succeeded

JOBS = 150
"""Jobs for each kill: enough to last until a worker is caught within one."""


@pytest.mark.parametrize("service", [None, "tasks"])
def test_waiting_messages_are_counted_by_service(rabbitmq: RabbitMq, service: str | None) -> None:
    settings = make_settings("sqlite:///:memory:", broker_url=rabbitmq.url)
    transport = celery_transport(settings, print, service)
    assert transport.waiting() == 0, "there is no queue yet"
    transport.consume_pings(lambda: None)
    for left in (True, False, False):
        transport.send(uuid4(), left)
    wait_for(lambda: transport.waiting() == 3, "the messages wait")
    assert celery_transport(settings, print, "auth").waiting() == 0
    name = "jobs.tasks" if service else "jobs"
    listed = rabbitmq.control("list_queues", f"--vhost={rabbitmq.vhost}", "name", "type", "--formatter=json")
    assert {"name": name, "type": "quorum"} in json.loads(listed)


def test_jobs_that_a_dead_worker_has_left_come_first(rabbitmq: RabbitMq) -> None:
    transport = celery_transport(make_settings("sqlite:///:memory:", broker_url=rabbitmq.url), print)
    transport.consume_pings(lambda: None)
    waiting, left = uuid4(), uuid4()
    transport.send(waiting, False)
    transport.send(left, True)
    wait_for(lambda: transport.waiting() == 2, "the messages wait")
    with rabbitmq.channel() as channel:
        first = channel.basic_get("jobs")
        assert first is not None
        assert str(left) in str(first.body)


def test_each_job_is_done_once_when_workers_are_killed_within_one(
    rabbitmq: RabbitMq, postgres_url: str, tmp_path: Path
) -> None:
    database = connect(make_settings(postgres_url))
    expected: Counter[str] = Counter()
    with Workers(tmp_path, postgres_url, rabbitmq.url, visibility=2) as workers:
        for number in range(3):
            workers.wait()
            expected += queue_imports(database, JOBS)
            assert workers.kill_within_a_job(number % 2, database)
        wait_for(lambda: succeeded(database) == len(expected), "all jobs are done", 120)
    assert effects(database) == expected
    database.dispose()
