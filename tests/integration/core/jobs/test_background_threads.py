"""Liveness of a server that runs jobs itself: it fails when a background thread has died, since a restart helps."""

import threading

import pytest

from app.bootstrap.container import build
from app.bootstrap.http import create_app
from tests.support.api import assert_problem
from tests.support.ports import wait_for
from tests.support.settings import make_settings


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("name", ["jobs", "short jobs", "relay"])
def test_a_dead_background_thread_fails_the_liveness_probe(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    parts = build(make_settings(sqlite_url))
    client = create_app(parts).test_client()
    assert client.get("/health/live").status_code == 200, "none has begun yet"
    loops = {loop.name: loop for loop in (parts.inline._loop, *parts.inline._beside)}
    die = threading.Event()

    def action() -> bool:
        if die.is_set():
            raise SystemExit
        return False

    for loop in loops.values():
        monkeypatch.setattr(loop, "_action", action if loop is loops[name] else lambda: False)
    parts.inline.start()
    try:
        assert client.get("/health/live").status_code == 200
        die.set()
        loops[name].wake()
        wait_for(lambda: client.get("/health/live").status_code == 503, "the probe fails", 20)
        assert_problem(client.get("/health/live"), 503)
    finally:
        parts.inline.stop(5)
        parts.database.dispose()


def test_stopped_threads_do_not_fail_the_liveness_probe(sqlite_url: str) -> None:
    parts = build(make_settings(sqlite_url))
    client = create_app(parts).test_client()
    parts.inline.start()
    parts.inline.stop(5)
    assert client.get("/health/live").status_code == 200
    parts.database.dispose()
