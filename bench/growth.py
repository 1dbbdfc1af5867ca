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
PAGE = 20

INSERT = """
INSERT INTO tasks (id, user_id, title, description, status, created_at, updated_at, version, title_key, search_text)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       (CASE n % {users} WHEN 0 THEN '{own}'
        ELSE '00000000-0000-4000-8000-' || lpad((n % {users})::text, 12, '0') END)::uuid,
       'Task ' || n, 'What is to be done', 'todo', now() - n * interval '1 second', now(), 1, 'task ' || n, 'task ' || n
FROM generate_series({first}, {last}) AS n
"""
"""Identifiers rise as those of the application do (UUIDv7): so the primary key grows at its end."""


def growth(stage: Stage, running: Running, sizes: tuple[int, int], say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure the first page and a deep one, with few tasks and with many; a hundredth is one's own.

    Args:
        running: a server that keeps no answers.
        sizes: how many tasks there are first, and then; with the first, the deep page is the last one of one's own.
    """
    found, there = [], 0
    for tasks in sizes:
        began = time.monotonic()
        _fill(stage, there, tasks)
        say(f"{tasks:,} tasks: written in {time.monotonic() - began:.0f} s")
        there = tasks
        page = f"{LIST}?limit={PAGE}"
        deep = page
        for _ in range(sizes[0] // USERS // PAGE - 1):
            deep = f"{page}&cursor={json.loads(fetch(running.url + deep, stage.token))['next_cursor']}"
        first_ms, deep_ms = _times(stage, running, page, deep)
        found.append({"tasks": tasks, "first_ms": first_ms, "deep_ms": deep_ms})
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
            for table in ("task_tags", "tasks"):
                # Nobody needs them after a crash: half of the time would go into the log.
                cursor.execute(f"ALTER TABLE {table} SET UNLOGGED")
            for name, _ in indexes:
                cursor.execute(f"DROP INDEX {name}")
            cursor.execute(INSERT.format(users=USERS, own=stage.user_id, first=there + 1, last=tasks))
            cursor.execute("SET maintenance_work_mem = '512MB'")
            for _, definition in indexes:
                cursor.execute(definition)
            cursor.execute("VACUUM ANALYZE tasks")
    finally:
        connection.close()


def _times(stage: Stage, running: Running, *paths: str) -> list[float]:
    """Return the median time of a request for each path, milliseconds: one after another, the paths by turns."""
    times: dict[str, list[float]] = {path: [] for path in paths}
    for _ in range(REQUESTS):
        for path in paths:
            began = time.perf_counter()
            fetch(running.url + path, stage.token)
            times[path].append(time.perf_counter() - began)
    return [round(1000 * median(times[path]), 2) for path in paths]
