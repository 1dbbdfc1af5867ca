"""Slow clients while requests are made up: the server answers its liveness probe within a second all the while."""

from pathlib import Path

from tests.fuzz.generated import PACE, generate
from tests.fuzz.test_generated_requests import answers
from tests.support.liveness import liveness
from tests.support.server import server
from tests.support.slow_clients import slow_clients

MOST_SECONDS = 1.0
"""That a liveness probe may take."""


def test_the_server_says_within_a_second_that_it_lives_whatever_clients_do(tmp_path: Path, postgres_url: str) -> None:
    with (
        server(tmp_path, postgres_url, APP_RATE_LIMIT="999999 per second") as running,
        liveness(running.url) as live,
        slow_clients("127.0.0.1", running.port) as slow,
    ):
        generate(running.url, 1, *PACE)  # what it finds is another test's
        given = answers(running)
        assert len(slow.clients) == 200
    assert [status for status in given if status.startswith("5")] == []
    assert given["200"]
    assert live.longest <= MOST_SECONDS
    assert live.probes > 0
