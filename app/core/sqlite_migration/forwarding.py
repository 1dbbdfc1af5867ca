"""Forwarding of requests to the servers that have taken the data over, all of it or that of one service.

The migration runs under load: this server still receives requests between the handover and the moment when routing has
moved every client. It forwards them, rather than reject them or answer from outdated data.
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
from app.core.sqlite_migration.target import MigrationTarget

LARGEST = 1 << 20
"""Largest request body, in bytes, that is buffered so that the request can be forwarded if a handover interrupts it."""

HOLD = 20.0
"""Seconds that a request is held until the target is ready. The gap lasts moments; clients wait for 30 s."""

PAUSE = 0.05
"""Seconds between two attempts to connect to the target."""

ANSWER_TIMEOUT = 60.0
"""Read time-out of the response, in seconds."""

BLOCK = 64 << 10
"""Bytes of the response that are read at a time."""

NOT_FORWARDED = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding"}
    | {"upgrade", "expect", "date", "server"}
)
"""Hop-by-hop headers (RFC 9110, section 7.6.1), and those that this server sets itself."""

AWAY = f"{HTTPStatus.SERVICE_UNAVAILABLE.value} {HTTPStatus.SERVICE_UNAVAILABLE.phrase}"

log = structlog.get_logger(__name__)


class ForwardingMiddleware:
    """WSGI middleware around an application whose data moves: forwards requests from then on.

    Args:
        application: answers until then.
        address_for: address of the servers that have taken over the data of a request, as `http://host:port`; None as
            long as nobody has. With `True` it must not be remembered from an earlier request.
        expected: whether the data may move while a request is answered, whose body is kept for that case.
    """

    def __init__(
        self,
        application: Application,
        address_for: Callable[[dict[str, Any], bool], str | None],
        expected: Callable[[], bool] = lambda: True,
    ) -> None:
        self._application = application
        self._address_for = address_for
        self._expected = expected
        self._ready: set[str] = set()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(PROBES):
            return self._application(environ, start_response)
        if self._address_for(environ, False) is None:
            return self._answer(environ, start_response)
        return self._forward(environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Call the application; forward the request if the response is 503 because of a handover meanwhile.

        Nothing has been done then, so the request can be repeated; its body is buffered up to `LARGEST`.
        """
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > LARGEST or "HTTP_TRANSFER_ENCODING" in environ or not self._expected():
            return self._application(environ, start_response)
        try:
            body = environ["wsgi.input"].read(length) if length else b""
        except RequestTimeout:
            return self._application(environ, start_response)  # raises the same when it reads the body
        environ["wsgi.input"] = BytesIO(body)
        moved = False

        def begin(status: str, *rest: Any) -> None:
            nonlocal moved
            moved = status.startswith(AWAY[:3]) and self._address_for(environ, True) is not None
            if not moved:
                start_response(status, *rest)

        answer = self._application(environ, begin)
        if moved:
            if close := getattr(answer, "close", None):
                close()
            environ["wsgi.input"] = BytesIO(body)
            return self._forward(environ, start_response)
        return answer

    def _forward(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        end = time.monotonic() + HOLD
        while time.monotonic() < end:
            address = self._address_for(environ, False)
            if address is None:  # the copy failed, and released the lock
                return self._answer(environ, start_response)
            if connection := self._connect(address):
                return _exchange(connection, environ, start_response)
            time.sleep(PAUSE)
        log.warning("migration target not ready", address=self._address_for(environ, False))
        start_response(AWAY, [("Retry-After", "2"), ("Content-Length", "0")])
        return []

    def _connect(self, address: str) -> HTTPConnection | None:
        """Return a connection to the target; None until it is ready."""
        target = MigrationTarget(address)
        if address not in self._ready:
            if not target.healthy("/health/ready"):
                return None
            self._ready.add(address)
        try:
            return target.connect()
        except OSError:
            return None


def _exchange(
    connection: HTTPConnection, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Send the request, and return the response."""
    if connection.sock:
        connection.sock.settimeout(ANSWER_TIMEOUT)
    has_body = environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ
    try:
        connection.request(
            environ["REQUEST_METHOD"],
            # The client's URI, with characters escaped that must not be sent raw.
            quote(environ["RAW_URI"], safe=punctuation, encoding="latin-1"),
            environ["wsgi.input"] if has_body else None,
            dict(_headers(environ)),
        )
        response = connection.getresponse()
    except (OSError, HTTPException) as error:
        connection.close()
        log.warning("migration target did not answer", cause=repr(error))
        start_response(AWAY, [("Retry-After", "2"), ("Content-Length", "0")])
        return []
    headers = [(name, value) for name, value in response.getheaders() if name.lower() not in NOT_FORWARDED]
    start_response(f"{response.status} {response.reason}", headers)
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
        if key.startswith("HTTP_") and name.lower() not in NOT_FORWARDED and not name.startswith("X-Forwarded-"):
            yield name, value
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            yield key.replace("_", "-").title(), environ[key]
    # Set anew, as a gateway does: REMOTE_ADDR is the peer's address, or the one that ProxyFix accepted.
    yield "X-Forwarded-For", environ["REMOTE_ADDR"]
    yield "X-Forwarded-Proto", environ["wsgi.url_scheme"]
