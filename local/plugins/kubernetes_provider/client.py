"""HTTP to the API server. Safe to share between threads."""

import json
import ssl
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

from local.plugins.kubernetes_provider.errors import ApiError, CancelledError, ProviderError, UnreachableError
from local.plugins.kubernetes_provider.kubeconfig import Connection

CONNECT_SECONDS = 5.0
# The API server itself ends a request after 60 s.
READ_SECONDS = 65.0

# Statuses that are retried: too many requests, and a server that is starting or has lost its store for a moment.
_RETRYABLE = frozenset({429, 502, 503, 504})
_RETRY_ATTEMPTS = 5
_RETRY_SECONDS = 1.0

MERGE_PATCH = "application/merge-patch+json"
# JSON is YAML: the server reads a JSON body under this type.
APPLY_PATCH = "application/apply-patch+yaml"


class Client:
    """One API server, with the credentials of one user."""

    def __init__(self, connection: Connection) -> None:
        """Args: connection: where and as whom. Nothing is sent yet."""
        self.connection = connection
        self.cancelled = threading.Event()
        address = urlsplit(connection.server)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ProviderError(f"{connection.source} has a server that is no URL: {connection.server!r}")
        self._base = address.path.rstrip("/")
        common: dict[str, Any] = {
            "maxsize": 64,
            "retries": False,
            "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        }
        self._pool: urllib3.HTTPConnectionPool
        if address.scheme == "https":
            common |= {"ssl_context": _tls(connection), "server_hostname": connection.server_name}
            if connection.insecure:
                common["assert_hostname"] = False
            self._pool = urllib3.HTTPSConnectionPool(address.hostname, address.port or 443, **common)
        else:
            self._pool = urllib3.HTTPConnectionPool(address.hostname, address.port or 80, **common)

    def get(
        self, path: str, query: Mapping[str, str] | None = None, accept: str = "application/json"
    ) -> dict[str, Any]:
        """Read one object or list, in another form than the usual where `accept` names one."""
        return dict(json.loads(self._send("GET", path, query, None, {"Accept": accept})))

    def text(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Read an answer that is no object: a container's log."""
        return self._send("GET", path, query, None, {}).decode("utf-8", errors="replace")

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """Send one request and give the answer's object.

        Raises:
            ApiError: the server refused.
            UnreachableError: it does not answer.
            CancelledError: the update was cancelled.
        """
        payload = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Content-Type": content_type}
        return dict(json.loads(self._send(method, path, query, payload, headers) or b"{}"))

    def _send(
        self, method: str, path: str, query: Mapping[str, str] | None, payload: bytes | None, headers: Mapping[str, str]
    ) -> bytes:
        url = self._base + path + (f"?{urlencode(query)}" if query else "")
        sent = {"User-Agent": "pulumi-resource-kubernetes", **headers, **self.connection.headers}
        for attempt in range(1, _RETRY_ATTEMPTS + 1):
            try:
                answer = self._pool.urlopen(method, url, body=payload, headers=sent, preload_content=True)
            except urllib3.exceptions.HTTPError as error:
                raise UnreachableError(self._unreachable(error)) from error
            if answer.status not in _RETRYABLE or attempt == _RETRY_ATTEMPTS:
                break
            if self.cancelled.wait(_RETRY_SECONDS * attempt):
                raise CancelledError("the update was cancelled")
        if answer.status >= 400:
            raise ApiError(answer.status, _status(answer.data))
        return answer.data

    def _unreachable(self, error: Exception) -> str:
        where = f"{self.connection.server} (context {self.connection.context!r} of {self.connection.source})"
        return (
            f"cannot reach the Kubernetes API server {where}: {_why(error)}; "
            "start that cluster, or set KUBECONFIG to the kubeconfig of one that runs"
        )

    def wait_until_reachable(self, deadline: float) -> None:
        """Return once the server answers again.

        Args:
            deadline: on the clock of `time.monotonic`, in seconds.

        Raises:
            UnreachableError: it still does not answer at the deadline.
        """
        while True:
            try:
                self.get("/version")
            except UnreachableError:
                if time.monotonic() >= deadline or self.cancelled.wait(_RETRY_SECONDS):
                    raise
            else:
                return


def _tls(connection: Connection) -> ssl.SSLContext:
    try:
        authority = connection.authority.decode() if connection.authority else None
        context = ssl.create_default_context(cadata=authority)
        if connection.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if connection.certificate and connection.key:
            # The ssl module reads a client certificate from a file only; this one lives for a moment, for its owner.
            with tempfile.TemporaryDirectory(prefix="kubernetes-provider-") as folder:
                pair = Path(folder, "client.pem")
                pair.touch(mode=0o600)
                pair.write_bytes(connection.certificate.rstrip() + b"\n" + connection.key)
                context.load_cert_chain(pair)
    except (ssl.SSLError, ValueError) as error:
        raise ProviderError(f"a certificate or key in {connection.source} cannot be used: {error}") from error
    return context


def _status(data: bytes) -> dict[str, Any]:
    try:
        status = json.loads(data)
    except ValueError:
        return {"message": data.decode("utf-8", errors="replace").strip()[:500]}
    return status if isinstance(status, dict) else {}


def _why(error: Exception) -> str:
    """Say in a few words why a connection failed; urllib3's own text carries object addresses."""
    text = str(error)
    known = {
        "Connection refused": "connection refused",
        "Name or service not known": "no such host",
        "nodename nor servname": "no such host",
        "Network is unreachable": "network is unreachable",
        "No route to host": "no route to host",
        "certificate verify failed": "its certificate is not signed by the kubeconfig's authority",
        "Hostname mismatch": "its certificate is for another host name",
        "timed out": "no answer in time",
    }
    return next((words for mark, words in known.items() if mark in text), type(error).__name__)
