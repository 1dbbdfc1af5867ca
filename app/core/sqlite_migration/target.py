"""Client of the servers that take over after the migration."""

from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

CONNECT_TIMEOUT = 2.0
"""Connect and read time-out, in seconds."""


class MigrationTarget:
    """Servers on PostgreSQL, behind one address.

    Args:
        address: `http://host:port`; the host may resolve to several addresses, not all of which answer yet.
    """

    def __init__(self, address: str) -> None:
        self._netloc = urlsplit(address).netloc

    def connect(self) -> HTTPConnection:
        """Return an open connection to one of the servers. Raises OSError when none can be reached."""
        connection = HTTPConnection(self._netloc, timeout=CONNECT_TIMEOUT)
        connection.connect()
        return connection

    def healthy(self, path: str) -> bool:
        """Return whether a server answers 200 at a health endpoint, given by its path."""
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
