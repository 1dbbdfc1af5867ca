"""Forwarding of requests to the servers that have taken over.

A phase grows under load. From the moment that the data is elsewhere until the last client has been led there, this
server still gets requests. It neither refuses one nor answers from what is out of date.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from io import BytesIO
from string import punctuation
from typing import Any
from urllib.parse import quote

import structlog
from werkzeug.exceptions import RequestTimeout

from app.core.http.middleware import PROBES, Application
from app.core.sqlite_migration.handover import HandoverLock
from app.core.sqlite_migration.target import MigrationTarget

LARGEST = 1 << 20
"""Bytes of a body that is kept until its request has been answered, in case that the data moves meanwhile."""

HOLD = 20.0
"""Seconds that a request is held while nobody has the data yet. The gap is there for moments; clients wait for 30 s."""

PAUSE = 0.05
"""Seconds between two tries to reach who has the data."""

ANSWER_TIMEOUT = 60.0
"""Seconds without a byte of the answer."""

BLOCK = 64 << 10

NOT_HANDED_ON = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding"}
    | {"upgrade", "expect", "date", "server"}
)
"""Headers of one connection (RFC 9110, section 7.6.1), and those that the server below gives itself."""

AWAY = f"{HTTPStatus.SERVICE_UNAVAILABLE.value} {HTTPStatus.SERVICE_UNAVAILABLE.phrase}"

log = structlog.get_logger(__name__)


class ForwardingMiddleware:
    """Stands before the request middleware of an application on SQLite.

    Args:
        application: answers while the data is here.
        seal: says whether it is.
    """

    def __init__(self, application: Application, seal: HandoverLock) -> None:
        self._application = application
        self._seal = seal
        self._there = False

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(PROBES):
            return self._application(environ, start_response)
        if self._seal.address() is None:
            return self._answer(environ, start_response)
        return self._hand_on(environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Let the application answer. If that is 503 since the data has just moved, nothing has been done: hand on."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > LARGEST or "HTTP_TRANSFER_ENCODING" in environ:
            return self._application(environ, start_response)
        try:
            body = environ["wsgi.input"].read(length) if length else b""
        except RequestTimeout:
            return self._application(environ, start_response)  # which finds the same when it reads
        environ["wsgi.input"] = BytesIO(body)
        moved = False

        def begin(status: str, *rest: Any) -> None:
            nonlocal moved
            moved = status.startswith(AWAY[:3]) and self._seal.address() is not None
            if not moved:
                start_response(status, *rest)

        answer = self._application(environ, begin)
        if moved:
            if close := getattr(answer, "close", None):
                close()
            environ["wsgi.input"] = BytesIO(body)
            return self._hand_on(environ, start_response)
        return answer

    def _hand_on(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        end = time.monotonic() + HOLD
        while time.monotonic() < end:
            address = self._seal.address()
            if address is None:  # it has been called off
                return self._answer(environ, start_response)
            if connection := self._reach(MigrationTarget(address)):
                return _exchange(connection, environ, start_response)
            time.sleep(PAUSE)
        log.warning("nobody has the data", address=self._seal.address())
        start_response(AWAY, [("Retry-After", "2"), ("Content-Length", "0")])
        return []

    def _reach(self, successor: MigrationTarget) -> HTTPConnection | None:
        """Return a connection to who has the data; None as long as nobody has."""
        self._there = self._there or successor.healthy("/health/ready")
        try:
            return successor.connect() if self._there else None
        except OSError:
            return None


def _exchange(
    connection: HTTPConnection, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Send the request, and return the answer."""
    if connection.sock:
        connection.sock.settimeout(ANSWER_TIMEOUT)
    has_body = environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ
    try:
        connection.request(
            environ["REQUEST_METHOD"],
            # As the client has sent it, but for what may not stand there unescaped.
            quote(environ["RAW_URI"], safe=punctuation, encoding="latin-1"),
            environ["wsgi.input"] if has_body else None,
            dict(_headers(environ)),
        )
        response = connection.getresponse()
    except (OSError, HTTPException) as error:
        connection.close()
        log.warning("who has the data did not answer", cause=repr(error))
        start_response(AWAY, [("Retry-After", "2"), ("Content-Length", "0")])
        return []
    kept = [(name, value) for name, value in response.getheaders() if name.lower() not in NOT_HANDED_ON]
    start_response(f"{response.status} {response.reason}", kept)
    return _blocks(connection, response)


def _blocks(connection: HTTPConnection, response: HTTPResponse) -> Iterator[bytes]:
    try:
        while block := response.read(BLOCK):
            yield block
    finally:
        connection.close()


def _headers(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in environ.items():
        name = key.removeprefix("HTTP_").replace("_", "-").title()
        if key.startswith("HTTP_") and name.lower() not in NOT_HANDED_ON and not name.startswith("X-Forwarded-"):
            yield name, value
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            yield key.replace("_", "-").title(), environ[key]
    # As a gateway would say it: this server believed nobody's own word, or has had it looked at by ProxyFix.
    yield "X-Forwarded-For", environ["REMOTE_ADDR"]
    yield "X-Forwarded-Proto", environ["wsgi.url_scheme"]
