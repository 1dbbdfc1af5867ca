"""A server with the part of S3's API that the application uses. It checks signatures and keeps objects in memory."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

ACCESS, SECRET, REGION, BUCKET = "access", "not-very-secret", "us-east-1", "files"
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


@dataclass
class Bucket:
    """Content of the server, and the size of the largest request body."""

    port: int = 0
    objects: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    largest: int = 0


@contextmanager
def s3() -> Iterator[Bucket]:
    """Run a server with one empty bucket."""
    bucket = Bucket()

    class Handler(_Handler):
        held = bucket

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    bucket.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield bucket
    server.shutdown()
    server.server_close()
    thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    held: Bucket

    def do_GET(self) -> None:
        if (key := self._come_in()) and self._exists(key):
            self._answer(200, self.held.objects[key])

    def do_DELETE(self) -> None:
        if key := self._come_in():
            self.held.objects.pop(key, None)
            self._answer(204)

    def do_PUT(self) -> None:
        if not (key := self._come_in()):
            return
        query = parse_qs(urlsplit(self.path).query)
        if "uploadId" in query:
            self.held.parts[key][int(query["partNumber"][0])] = self._body
        else:
            self.held.objects[key] = self._body
        self._answer(200)

    def do_POST(self) -> None:
        if not (key := self._come_in()):
            return
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "uploads" in query:
            self.held.parts[key] = {}
            self._xml(200, "InitiateMultipartUploadResult", f"<UploadId>{key}</UploadId>")
        else:
            parts = self.held.parts.pop(key)
            self.held.objects[key] = b"".join(parts[number] for number in sorted(parts))
            self._xml(200, "CompleteMultipartUploadResult", f"<Bucket>{BUCKET}</Bucket><Key>{key}</Key>")

    def log_message(self, *_arguments: object) -> None:
        """Write no access log."""

    def _come_in(self) -> str | None:
        """Read the body and check the signature; return the key, or None if the request was rejected."""
        self._body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.held.largest = max(self.held.largest, len(self._body))
        _, bucket, key = urlsplit(self.path).path.split("/", 2)
        if not self._signed():
            self._xml(403, "Error", "<Code>SignatureDoesNotMatch</Code>")
            return None
        if bucket != BUCKET:
            self._xml(404, "Error", "<Code>NoSuchBucket</Code>")
            return None
        return key

    def _signed(self) -> bool:
        from minio.credentials.credentials import Credentials
        from minio.signer import sign_v4_s3

        shown = self.headers.get("Authorization", "")
        names = shown.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        again = sign_v4_s3(
            method=self.command,
            url=urlsplit(f"http://{self.headers['Host']}{self.path}"),
            region=REGION,
            headers={name: self.headers[name] for name in names},
            credentials=Credentials(ACCESS, SECRET),
            content_sha256=self.headers["x-amz-content-sha256"],
            date=datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
        )
        return again["Authorization"] == shown

    def _exists(self, key: str) -> bool:
        if key not in self.held.objects:
            self._xml(404, "Error", "<Code>NoSuchKey</Code>")
            return False
        return True

    def _xml(self, status: int, name: str, inner: str) -> None:
        self._answer(status, f'<{name} xmlns="{NAMESPACE}">{inner}</{name}>'.encode(), "application/xml")

    def _answer(self, status: int, body: bytes = b"", kind: str = "application/octet-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"etag"')
        self.end_headers()
        self.wfile.write(body)
