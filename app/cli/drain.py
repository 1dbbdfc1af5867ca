"""`drain`: preStop hook of a pod.

Meanwhile the pod's endpoint is removed from the Service, which keep-alive connections don't notice: the server closes
them with the response to their next request, so that clients reconnect to another pod. The server keeps serving all the
while; SIGTERM follows.
"""

import os
import time
from pathlib import Path

DEFAULT_FILE = "/tmp/draining"  # noqa: S108 the only writable path of the container, without secrets


def drain(seconds: float) -> int:
    """Mark the server as draining and wait.

    Args:
        seconds: time for the removal of the endpoint to reach all proxies.
    """
    Path(os.environ.get("APP_DRAIN_FILE", DEFAULT_FILE)).touch()
    time.sleep(seconds)
    return 0
