"""A server with the part of Elasticsearch's API that a log shipper uses; it records the documents."""

import base64
import gzip
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SECRET = "id:not-very-secret"
"""API key `id:secret`; also accepted as user name and password."""
VERSION = "8.19.6"


@dataclass
class Store:
    """The documents that have been sent, to any of the servers.

    Attributes:
        documents: created documents by stream and id.
        duplicates: number of documents that existed already.
        templates: index templates by name.
        busy: number of coming bulk requests to be answered 429.
        faults: requests that a real server would have rejected.
    """

    documents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    duplicates: int = 0
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    busy: int = 0
    faults: list[str] = field(default_factory=list)

    def create(self, stream: str, identifier: str, document: dict[str, Any]) -> int:
        """Store a document; return the status of a data stream."""
        if not any(stream in template["index_patterns"] for template in self.templates.values()):
            self.faults.append(f"no template for {stream}")
        if (stream, identifier) in self.documents:
            self.duplicates += 1
            return 409
        self.documents[stream, identifier] = document
        return 201


@contextmanager
def elasticsearch(store: Store, port: int, certificate: Path | None = None) -> Iterator[None]:
    """Run a server on 127.0.0.1 until the block ends. Raises AssertionError for requests that a real one would reject.

    Args:
        store: records the documents.
        port: port to listen on.
        certificate: file with a certificate and its key, for TLS.
    """

    class Handler(_Handler):
        held = store

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join()
    assert not store.faults, store.faults


class _Handler(BaseHTTPRequestHandler):
    # One connection per request: none outlives the server.
    protocol_version = "HTTP/1.0"
    held: Store

    def do_GET(self) -> None:
        if self._known():
            self._answer(200, {"version": {"number": VERSION}, "tagline": "You Know, for Search"})

    def do_HEAD(self) -> None:
        if self._known():
            self._answer(200 if self._template() in self.held.templates else 404)

    def do_PUT(self) -> None:
        if self._known():
            self.held.templates[self._template()] = json.loads(self._body())
            self._answer(200, {"acknowledged": True})

    def do_POST(self) -> None:
        lines = self._body().splitlines()
        if not self._known():
            return
        if self.path != "/_bulk":
            self.held.faults.append(self.path)
            self._answer(404, {})
        elif self.held.busy:
            self.held.busy -= 1
            self._answer(429, {"error": "es_rejected_execution_exception"})
        else:
            pairs = zip(lines[::2], lines[1::2], strict=True)
            statuses = [self._create(json.loads(action), json.loads(document)) for action, document in pairs]
            items = [{"create": {"status": status}} for status in statuses]
            self._answer(200, {"errors": any(status >= 300 for status in statuses), "items": items})

    def log_message(self, *_arguments: object) -> None:
        """Write no access log."""

    def _create(self, action: dict[str, Any], document: dict[str, Any]) -> int:
        # A data stream accepts only `create`.
        asked = action["create"]
        return self.held.create(asked["_index"], asked["_id"], document)

    def _known(self) -> bool:
        scheme, _, given = self.headers["Authorization"].partition(" ")
        known = scheme in ("ApiKey", "Basic") and base64.b64decode(given).decode() == SECRET
        if not known:
            self._answer(401, {})
        return known

    def _template(self) -> str:
        return self.path.removeprefix("/_index_template/")

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        return gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body

    def _answer(self, status: int, body: dict[str, Any] | None = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
