"""`drain`: what a pod does first when it is to end.

Its endpoint is being taken out of the Service meanwhile. Kept-alive connections don't notice that: they are closed by
the server, with the answer to their next request, so that the client opens its next one to another pod. The server
keeps serving all the while; TERM comes after.
"""

import os
import time
from pathlib import Path

DEFAULT_FILE = "/tmp/draining"  # noqa: S108 the only writable path of the container, and empty of secrets


def drain(seconds: float) -> int:
    """Mark the server as draining and wait.

    Args:
        seconds: how long the endpoint may take to disappear everywhere.
    """
    Path(os.environ.get("APP_DRAIN_FILE", DEFAULT_FILE)).touch()
    time.sleep(seconds)
    return 0
