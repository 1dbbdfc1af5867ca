"""`ensure-secret`: make a Kubernetes Secret of random values where there is none.

So no key passes through the hands, the shell history or the infrastructure's state of whoever deploys.
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
    """Make sure that a Secret has some keys. A random value that it has stays as it is; none is ever printed.

    Args:
        name: the Secret.
        keys: the keys it must have; a missing one gets a random value (48 bytes, URL-safe base64).
        namespace: where; by default this pod's own.
        cluster: the API server to ask; by default this pod's own.
        values: what else it must say, by key, such as the name of the user whose password it holds: no secrets.
    """
    told = {key: _encoded(value) for key, value in (values or {}).items()}
    return settle(f"secret {name}", lambda api, path: _ensure(api, path, name, keys, told), namespace, cluster)


def _encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _ensure(cluster: Cluster, path: str, name: str, keys: list[str], told: Mapping[str, str]) -> str | None:
    """Try once; return what was made, or None if somebody else was quicker."""
    status, found = cluster.call("GET", f"{path}/{name}")
    there = found.get("data") or {}
    data = {key: _encoded(secrets.token_urlsafe(RANDOM_BYTES)) for key in keys if key not in there}
    data |= {key: value for key, value in told.items() if there.get(key) != value}
    if status == 404:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "data": data}
        status, _ = cluster.call("POST", path, secret)
    elif data:
        # The version makes the change fail with 409 if the Secret has changed since it was read.
        version = {"resourceVersion": found["metadata"]["resourceVersion"]}
        status, _ = cluster.call("PATCH", f"{path}/{name}", {"metadata": version, "data": data})
    if status in (404, 409):
        return None
    return f"made {', '.join(data)}" if data else "complete"
