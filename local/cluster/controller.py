"""The reconcile loop of the local cluster's controllers, small programs beside the control plane."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import requests

from local import paths
from local.cluster import control_plane
from local.host.processes import ProcessSpec

INTERVAL_SECONDS = 0.5

Object = dict[str, Any]


def process(name: str) -> ProcessSpec:
    """Return a controller's process: the module of that name beside this one, such as `volumes`, which runs `keep`."""
    # It has to find the same cluster as this process, wherever that is kept.
    where = {"PYTHONPATH": str(paths.ROOT), "XDG_STATE_HOME": str(paths.STATE.parent)}
    return ProcessSpec(name, (sys.executable, "-m", f"{__package__}.{name}"), environment=where)


def items(session: requests.Session, path: str) -> list[Object]:
    """Return the objects at a path of the API server; raise requests.RequestException when it does not answer."""
    answer = session.get(f"{control_plane.LOOPBACK_URL}{path}", timeout=10)
    answer.raise_for_status()
    found: list[Object] = answer.json()["items"]
    return found


def create(session: requests.Session, path: str, wanted: Object) -> None:
    """Make an object; one of that name that is there already is left as it is."""
    answer = session.post(f"{control_plane.LOOPBACK_URL}{path}", json=wanted, timeout=10)
    if answer.status_code != requests.codes.conflict:
        answer.raise_for_status()


def keep(reconcile: Callable[[requests.Session], None]) -> None:
    """Reconcile until the process is ended; retry while the API server is away.

    It looks twice a second rather than following a stream: nothing can be missed, whatever is killed.
    """
    session = control_plane.session()
    while True:
        try:
            reconcile(session)
        except requests.RequestException as error:
            sys.stderr.write(f"{time.strftime('%FT%T')} {error}\n")
        time.sleep(INTERVAL_SECONDS)
