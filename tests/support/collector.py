"""Collectors of traces (OTLP) and errors (Sentry): HTTP servers that record what they receive."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Noted:
    """A received span."""

    service: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    facts: dict[str, Any]
    failed: bool
    resource: dict[str, Any]


@dataclass
class Taken:
    """The received requests: bodies, unpacked, with their headers."""

    host: str
    port: int
    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def everything(self) -> bytes:
        """Return all received bytes, to search them for what must not be sent."""
        return b"\n".join(body for _, _, body in self.posts)

    def spans(self) -> list[Noted]:
        """Return the spans of all OTLP requests."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        found = []
        for path, _, body in list(self.posts):
            assert path == "/v1/traces"
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                resource = _facts(group.resource.attributes)
                spans = (span for scope in group.scope_spans for span in scope.spans)
                found += [
                    Noted(
                        str(resource["service.name"]),
                        span.name,
                        span.kind,
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        _facts(span.attributes),
                        span.status.code == span.status.STATUS_CODE_ERROR,
                        resource,
                    )
                    for span in spans
                ]
        return found

    def errors(self) -> list[dict[str, Any]]:
        """Return the events of all Sentry envelopes."""
        found = []
        for path, _, body in list(self.posts):
            assert path == "/api/1/envelope/"
            lines = body.split(b"\n")
            for head, item in zip(lines[1::2], lines[2::2], strict=False):
                if json.loads(head).get("type") == "event":
                    found.append(json.loads(item))
        return found


def _facts(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def collector(host: str = "127.0.0.1") -> Iterator[Taken]:
    """Run a server that accepts every POST."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            taken.posts.append((self.path, dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer((host, 0), Handler)
    taken = Taken(host, server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
