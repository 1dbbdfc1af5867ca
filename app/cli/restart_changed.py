"""`restart-changed`: roll Deployments out anew whose Secrets have changed since the last look.

Environment variables of a running pod keep the values that it was started with.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from app.cli import fail
from app.cli.cluster import Cluster, ClusterError

SEEN = "task-manager/secrets"
"""Annotation of a Deployment: versions of its Secrets at the last look."""

RESTARTED = "task-manager/restarted-at"
"""Annotation of its pods: a change of it is a rolling update."""


def restart_changed(
    deployment: Sequence[tuple[str, str]], namespace: str | None, cluster: Cluster | None = None
) -> int:
    """Start a rolling update of each Deployment of which a Secret has changed; the first look only remembers.

    Secrets are told apart by their versions: no value is asked for.

    Args:
        deployment: pairs of a Deployment and a Secret of its.
        namespace: by default that of this pod.
        cluster: the API server; by default that of this pod.

    Returns:
        The exit status.
    """
    secrets: dict[str, list[str]] = {}
    for name, secret in deployment:
        secrets.setdefault(name, []).append(secret)
    try:
        api = cluster or Cluster()
        place = namespace or api.namespace
        versions = {secret: _version(api, place, secret) for _, secret in deployment}
        for name, own in secrets.items():
            sys.stdout.write(f"{name}: {_look(api, place, name, own, versions)}\n")
    except ClusterError as error:
        return fail(str(error))
    return 0


def _version(api: Cluster, namespace: str, secret: str) -> str:
    status, found = api.call("GET", f"/api/v1/namespaces/{namespace}/secrets/{secret}", metadata_alone=True)
    return "absent" if status == 404 else str(found["metadata"]["resourceVersion"])


def _look(api: Cluster, namespace: str, name: str, secrets: Sequence[str], versions: Mapping[str, str]) -> str:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    status, found = api.call("GET", path)
    if status == 404:
        return "not there yet"
    now = ",".join(f"{secret}={versions[secret]}" for secret in sorted(secrets))
    known = (found["metadata"].get("annotations") or {}).get(SEEN)
    if known == now:
        return "unchanged"
    change: dict[str, object] = {"metadata": {"annotations": {SEEN: now}}}
    if known is not None:
        at = {RESTARTED: datetime.now(UTC).isoformat(timespec="seconds")}
        change["spec"] = {"template": {"metadata": {"annotations": at}}}
    status, _ = api.call("PATCH", path, change)
    if status in (404, 409):
        return "changed meanwhile: left for the next look"
    return "remembered" if known is None else "restarted, since its Secrets have changed"
