"""`ensure-secret`: make a Kubernetes Secret of random values where there is none.

So no key passes through the hands, the shell history or the infrastructure's state of whoever deploys.
"""

import base64
import json
import os
import secrets
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from app.commands import fail

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
RANDOM_BYTES = 48
ATTEMPTS = 5


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

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Return status and answer; statuses that the caller decides on (404, 409) are returned, others raised."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = urllib.request.Request(  # noqa: S310 the address is the cluster's own
            self._base + path,
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": kind},
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


def ensure_secret(name: str, keys: list[str], namespace: str | None, cluster: Cluster | None = None) -> int:
    """Make sure that a Secret has some keys. What it has already stays as it is; no value is ever printed.

    Args:
        name: the Secret.
        keys: the keys it must have; a missing one gets a random value (48 bytes, URL-safe base64).
        namespace: where; by default this pod's own.
        cluster: the API server to ask; by default this pod's own.
    """
    try:
        cluster = cluster or Cluster()
        path = f"/api/v1/namespaces/{namespace or cluster.namespace}/secrets"
        for _ in range(ATTEMPTS):
            if (made := _ensure(cluster, path, name, keys)) is not None:
                sys.stdout.write(f"secret {name}: " + (f"made {', '.join(made)}\n" if made else "complete\n"))
                return 0
    except ClusterError as error:
        return fail(str(error))
    return fail(f"secret {name}: somebody else keeps changing it")


def _ensure(cluster: Cluster, path: str, name: str, keys: list[str]) -> list[str] | None:
    """Try once; return the keys made, or None if somebody else was quicker."""
    status, found = cluster.call("GET", f"{path}/{name}")
    missing = [key for key in keys if key not in (found.get("data") or {})]
    data = {key: base64.b64encode(secrets.token_urlsafe(RANDOM_BYTES).encode()).decode() for key in missing}
    if status == 404:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "data": data}
        status, _ = cluster.call("POST", path, secret)
    elif missing:
        # The version makes the change fail with 409 if the Secret has changed since it was read.
        version = {"resourceVersion": found["metadata"]["resourceVersion"]}
        status, _ = cluster.call("PATCH", f"{path}/{name}", {"metadata": version, "data": data})
    return None if status in (404, 409) else missing
