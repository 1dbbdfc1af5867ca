"""An origin server with configurable responses, which counts its requests."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Origin:
    """Configuration and record of the server.

    Attributes:
        headers, status: those of every response.
        open: cleared to hold responses back.
        asked: number of requests by path.
        seen: headers of all requests.
    """

    def __init__(self) -> None:
        self.headers: Mapping[str, str] = {}
        self.status = 200
        self.open = threading.Event()
        self.open.set()
        self.asked: Counter[str] = Counter()
        self.seen: list[dict[str, str]] = []
        self.port = 0

    def body(self, path: str) -> str:
        """Return the latest body of a path, which contains its number of requests."""
        return f"{path} {self.asked[path]}"


@contextmanager
def origin(made: Origin | None = None, port: int = 0) -> Iterator[Origin]:
    """Run one until the block ends.

    Args:
        made: its configuration; by default a new one.
        port: by default any.
    """
    told = made or Origin()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            told.asked[self.path] += 1
            told.seen.append({name.lower(): value for name, value in self.headers.items()})
            body = told.body(self.path).encode()
            told.open.wait(30)
            self.send_response(told.status)
            for name, value in {"Content-Length": str(len(body)), **told.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    told.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.open.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
