"""Delete: ask for the object's end, and wait until it is gone."""

import time

from local.plugins.kubernetes_provider.context import Cluster, uid_of
from local.plugins.kubernetes_provider.discovery import UnknownKindError
from local.plugins.kubernetes_provider.errors import ApiError, CancelledError, ProviderError, UnreachableError
from local.plugins.kubernetes_provider.objects import Object, annotation, dig, title

DEFAULT_SECONDS = 600.0
_POLL_SECONDS = 0.25
_POLL_LONGEST_SECONDS = 2.0

_PROPAGATION = "pulumi.com/deletionPropagationPolicy"


def delete(cluster: Cluster, urn: str, obj: Object, timeout: float) -> None:
    """Delete an object and return when it is gone. One that is gone already is no error.

    Args:
        cluster: the configured provider.
        urn: the resource, for progress.
        obj: the object as the state has it.
        timeout: how long to wait for its end, in seconds; 0 for the default.

    Raises:
        ProviderError: it is still there at the end of that time; the message says what holds it.
    """
    policy = annotation(obj, _PROPAGATION).capitalize() or "Foreground"
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy}
    if uid := uid_of(obj):
        # Another object that has taken the name since is not ours to delete.
        options |= {"preconditions": {"uid": uid}}  # type: ignore[dict-item]
    try:
        cluster.client.request("DELETE", cluster.path(obj), body=options)
    except UnknownKindError:
        return
    except ApiError as error:
        if error.code == 404 or (error.code == 409 and uid):
            return
        raise
    _wait_until_gone(cluster, urn, obj, time.monotonic() + (timeout or DEFAULT_SECONDS))


def _wait_until_gone(cluster: Cluster, urn: str, obj: Object, deadline: float) -> None:
    pause = _POLL_SECONDS
    while True:
        try:
            live = cluster.read(obj)
        except UnknownKindError:
            return
        except ApiError as error:
            if error.code == 404:
                return
            raise
        except UnreachableError:
            cluster.client.wait_until_reachable(deadline)
            continue
        if uid_of(obj) and uid_of(live) != uid_of(obj):
            return
        held = deletion_blockers(live)
        if time.monotonic() >= deadline:
            raise ProviderError(f"{title(obj)} is being deleted but has not gone in time{f': {held}' if held else ''}")
        cluster.engine.status(urn, f"Waiting for deletion{f' ({held})' if held else ''}")
        if cluster.client.cancelled.wait(pause):
            raise CancelledError(f"cancelled while {title(obj)} was being deleted")
        pause = min(pause * 1.5, _POLL_LONGEST_SECONDS)


def deletion_blockers(live: Object) -> str:
    """Say why an object that is being deleted is still there; empty when nothing is known."""
    remaining = [
        entry.get("message", "")
        for entry in dig(live, "status", "conditions", default=[])
        if entry.get("status") == "True" and entry.get("type", "").startswith("Namespace")
    ]
    # The garbage collector takes its own finalizer away once the dependents are gone.
    finalizers = [name for name in dig(live, "metadata", "finalizers", default=[]) if name != "foregroundDeletion"]
    if finalizers:
        remaining.append("finalizers " + ", ".join(finalizers))
    return "; ".join(part for part in remaining if part)
