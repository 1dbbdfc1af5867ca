"""The front end in a real browser, on the real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.browser import run_flow
from tests.support.server import Server, server


@pytest.fixture
def running(tmp_path: Path, sqlite_url: str) -> Iterator[Server]:
    with server(tmp_path, sqlite_url) as started:
        yield started


def test_a_person_signs_up_works_on_tasks_and_logs_out(running: Server, tmp_path: Path) -> None:
    picture = tmp_path / "tasks.png"
    run_flow(running.url, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
