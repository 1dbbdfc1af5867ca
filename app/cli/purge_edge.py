"""`purge-edge`: purge the shared HTTP caches (Varnish) in the cluster, since a release may have changed responses."""

import socket
import sys
from http import HTTPStatus
from http.client import HTTPConnection

SECONDS = 10
"""Time-out of each request."""


def purge_edge(server: str) -> int:
    """Purge every server behind a host name completely; return the exit status.

    Args:
        server: host:port; each address of the host is a server.
    """
    host, _, port = server.rpartition(":")
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
        for address in sorted({str(information[4][0]) for information in found}):
            connection = HTTPConnection(address, int(port), timeout=SECONDS)
            connection.request("PURGE", "/")
            status = connection.getresponse().status
            connection.close()
            if status != HTTPStatus.OK:
                raise ConnectionError(f"{address} answered {status}")
            sys.stdout.write(f"{address} keeps nothing any more\n")
    except OSError as error:
        sys.stderr.write(f"purge-edge: {server}: {error}\n")
        return 1
    return 0
