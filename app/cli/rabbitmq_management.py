"""Client of RabbitMQ's management HTTP API, for commands."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

TIMEOUT = 10


class ManagementError(Exception):
    """RabbitMQ has refused something, or is not there; the message says what."""


@dataclass(frozen=True)
class Management:
    """The few calls needed, as an administrator.

    Args:
        host, port: where the API listens, by TLS.
        user, password: of the administrator.
        ca_file: certificates that the server's is verified by.
    """

    host: str
    port: int
    user: str
    password: str
    ca_file: Path

    def put(self, path: tuple[str, ...], body: dict[str, Any]) -> None:
        """Create or replace what is at a path, given by its parts.

        Raises:
            ManagementError: it was refused, or nobody answers.
        """
        self._request("PUT", path, body)

    def delete(self, path: tuple[str, ...]) -> None:
        """Delete what is at a path, if it is there. Raises what `put` does."""
        self._request("DELETE", path)

    def _request(self, method: str, path: tuple[str, ...], body: dict[str, Any] | None = None) -> None:
        where = "/".join(quote(part, safe="") for part in path)
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request = urllib.request.Request(
            f"https://{self.host}:{self.port}/api/{where}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"},
        )
        try:
            context = ssl.create_default_context(cafile=str(self.ca_file))
            with urllib.request.urlopen(request, context=context, timeout=TIMEOUT):  # noqa: S310
                pass
        except urllib.error.HTTPError as error:
            if method == "DELETE" and error.code == HTTPStatus.NOT_FOUND:
                return
            raise ManagementError(f"RabbitMQ: {method} {where}: {error.code} {error.reason}") from error
        except OSError as error:
            raise ManagementError(f"RabbitMQ at {self.host}:{self.port}: {getattr(error, 'reason', error)}") from error
