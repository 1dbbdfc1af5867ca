"""Client of the cluster's API server, for commands that run in a pod."""

import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.cli import fail

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
ATTEMPTS = 5
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class ClusterError(Exception):
    """The API server said no; the message says to what."""


class Cluster:
    """The few calls needed, as this pod's service account."""

    def __init__(self) -> None:
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host or not (ACCOUNT / "token").exists():
            raise ClusterError("this command runs in a pod with a service account, and finds none here")
        self.namespace = (ACCOUNT / "namespace").read_text().strip()
        self._base = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        self._token = (ACCOUNT / "token").read_text().strip()
        self._tls = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, metadata_alone: bool = False
    ) -> tuple[int, dict[str, Any]]:
        """Return status and answer; statuses that the caller decides on (404, 409) are returned, others raised.

        Args:
            method: of HTTP; PATCH is a JSON merge patch.
            path: at the API server.
            body: of the request.
            metadata_alone: whether an object is asked for without its contents.
        """
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = urllib.request.Request(  # noqa: S310 the address is the cluster's own
            self._base + path,
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": kind,
                "Accept": _METADATA if metadata_alone else "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=10) as response:  # noqa: S310
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            if error.code in (404, 409):
                return error.code, {}
            raise ClusterError(f"{method} {path}: {error.code} {error.reason}") from error
        except OSError as error:
            raise ClusterError(f"the API server can't be reached: {error}") from error


def settle(
    what: str, attempt: Callable[[Cluster, str], str | None], namespace: str | None, cluster: Cluster | None
) -> int:
    """Bring a Secret to what it should be, although others may change it meanwhile; print how it came to be so.

    Args:
        what: its kind and name, for people.
        attempt: given the API server and the path of the Secrets, tries once; None when somebody else was quicker.
        namespace: where; by default this pod's own.
        cluster: the API server to ask; by default this pod's own.

    Returns:
        The exit status.
    """
    try:
        cluster = cluster or Cluster()
        path = f"/api/v1/namespaces/{namespace or cluster.namespace}/secrets"
        for _ in range(ATTEMPTS):
            if (done := attempt(cluster, path)) is not None:
                sys.stdout.write(f"{what}: {done}\n")
                return 0
    except ClusterError as error:
        return fail(str(error))
    return fail(f"{what}: somebody else keeps changing it")
