"""`ensure-secret`: create a Kubernetes Secret with random values if it is missing.

So keys never appear in a shell history, in the Pulumi state or on the machine that deploys.
"""

import base64
import secrets
from collections.abc import Mapping

from app.cli.cluster import Cluster, settle

RANDOM_BYTES = 48


def ensure_secret(
    name: str,
    keys: list[str],
    namespace: str | None,
    cluster: Cluster | None = None,
    *,
    values: Mapping[str, str] | None = None,
) -> int:
    """Ensure that a Secret has some keys. Existing random values stay unchanged; none is ever printed.

    Args:
        name: the Secret.
        keys: required keys; a missing one gets a random value (48 bytes, URL-safe base64).
        namespace: by default that of this pod.
        cluster: the API server; by default that of this pod.
        values: further values by key, not secret, such as the user name of a password.
    """
    fixed = {key: _encoded(value) for key, value in (values or {}).items()}
    return settle(f"secret {name}", lambda api, path: _ensure(api, path, name, keys, fixed), namespace, cluster)


def _encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _ensure(cluster: Cluster, path: str, name: str, keys: list[str], fixed: Mapping[str, str]) -> str | None:
    """Make one attempt; return what was created, or None on a conflict with another writer."""
    status, found = cluster.call("GET", f"{path}/{name}")
    current = found.get("data") or {}
    data = {key: _encoded(secrets.token_urlsafe(RANDOM_BYTES)) for key in keys if key not in current}
    data |= {key: value for key, value in fixed.items() if current.get(key) != value}
    if status == 404:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "data": data}
        status, _ = cluster.call("POST", path, secret)
    elif data:
        # Optimistic concurrency: 409 if the Secret has changed since it was read.
        version = {"resourceVersion": found["metadata"]["resourceVersion"]}
        status, _ = cluster.call("PATCH", f"{path}/{name}", {"metadata": version, "data": data})
    if status in (404, 409):
        return None
    return f"made {', '.join(data)}" if data else "complete"
