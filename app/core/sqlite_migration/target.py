"""Client of the servers that take over."""

from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

CONNECT_TIMEOUT = 2.0
"""Seconds to reach it, and for it to say how it is."""


class MigrationTarget:
    """Servers at one address.

    Args:
        address: `http://host:port`; the host may have several addresses, of which some may not answer yet.
    """

    def __init__(self, address: str) -> None:
        self._place = urlsplit(address).netloc

    def connect(self) -> HTTPConnection:
        """Return an open connection to one of them. Raises OSError when none can be reached."""
        connection = HTTPConnection(self._place, timeout=CONNECT_TIMEOUT)
        connection.connect()
        return connection

    def healthy(self, path: str) -> bool:
        """Tell whether one of them answers 200 at a path of /health."""
        try:
            connection = self.connect()
        except OSError:
            return False
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
