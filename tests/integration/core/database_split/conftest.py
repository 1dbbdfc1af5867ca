"""Fixtures: a server with logical replication, a service that moves on it, and an address that answers."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.postgres import Postgres
from tests.support.split import Move, logical_server, move_of


@pytest.fixture(scope="session")
def logical() -> Iterator[Postgres]:
    """A server with logical replication, and a migrated database that all services share."""
    with logical_server() as server:
        yield server


@pytest.fixture
def move(logical: Postgres) -> Iterator[Move]:
    """The tasks service, which moves to another database of the same server."""
    with move_of("tasks", logical) as started:
        yield started


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The address of servers that take over, and answer 200 to everything."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = answer  # noqa: N815 names of the standard library

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()
