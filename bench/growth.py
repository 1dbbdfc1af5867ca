"""What a page of a list costs when there are many tasks."""

import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import psycopg2

from bench.servers import Running
from bench.stage import DATABASE, LIST, Stage, fetch

USERS = 100
REQUESTS = 100
DEPTH = 49
"""Pages before the deep one: with 100 thousand tasks it is the last one of one's own."""
SMALL = 100_000

INSERT = """
INSERT INTO tasks (id, user_id, title, description, status, created_at, updated_at, version, title_key, search_text)
SELECT gen_random_uuid(), ('00000000-0000-4000-8000-' || lpad((n % {users})::text, 12, '0'))::uuid, 'Task ' || n,
       'What is to be done', 'todo', now() - n * interval '1 second', now(), 1, 'task ' || n, 'task ' || n
FROM generate_series({first}, {last}) AS n
"""
OWN = "UPDATE tasks SET user_id = '{user}' WHERE user_id = '00000000-0000-4000-8000-000000000000'"


def growth(stage: Stage, running: Running, rows: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure the first page and a deep one with 100 thousand tasks and then with `rows`; a hundredth is one's own.

    The server has to keep no answers.
    """
    found, there = [], 0
    for tasks in (SMALL, rows):
        began = time.monotonic()
        _fill(stage, there, tasks)
        say(f"{tasks:,} tasks: written in {time.monotonic() - began:.0f} s")
        there = tasks
        page = f"{LIST}?limit=20"
        deep = page
        for _ in range(DEPTH):
            deep = f"{page}&cursor={json.loads(fetch(running.url + deep, stage.token))['next_cursor']}"
        found.append({"tasks": tasks, "first_ms": _time(stage, running, page), "deep_ms": _time(stage, running, deep)})
    return found


def _fill(stage: Stage, there: int, tasks: int) -> None:
    """Write the tasks that are missing; the indexes are made again when all are there, which is faster."""
    connection = psycopg2.connect(stage.database.url(DATABASE).replace("+psycopg2", ""))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'tasks' AND indexname ~ '^idx_'"
            )
            indexes = cursor.fetchall()
            for name, _ in indexes:
                cursor.execute(f"DROP INDEX {name}")
            cursor.execute(INSERT.format(users=USERS, first=there + 1, last=tasks))
            cursor.execute("SET maintenance_work_mem = '512MB'")
            for _, definition in indexes:
                cursor.execute(definition)
            cursor.execute(OWN.format(user=stage.user_id))
            cursor.execute("VACUUM ANALYZE tasks")
    finally:
        connection.close()


def _time(stage: Stage, running: Running, path: str) -> float:
    """Return the median time of a request, one after another, in milliseconds."""
    times = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        fetch(running.url + path, stage.token)
        times.append(time.perf_counter() - began)
    return round(1000 * median(times), 2)
