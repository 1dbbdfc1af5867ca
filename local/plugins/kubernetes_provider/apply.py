"""Server-side apply: one request that makes an object or changes it, and says which fields are ours."""

from local.plugins.kubernetes_provider.client import APPLY_PATCH
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.objects import Object, dig, flag

PATCH_FORCE = "pulumi.com/patchForce"


def apply(cluster: Cluster, obj: Object, manager: str, *, dry_run: bool = False, force: bool = False) -> Object:
    """Apply an object and give it as the server then has it.

    Args:
        cluster: the configured provider.
        obj: the whole of what we want; fields that we applied earlier and that are missing here are removed.
        manager: the field manager in whose name it is done.
        dry_run: only try; nothing is stored.
        force: take over fields that another manager holds; the object's annotation and the provider's setting can
            ask for it too.

    Raises:
        ApiError: the server refuses; 409 when another manager holds one of the fields.
    """
    forced = force or cluster.settings.enable_patch_force or flag(obj, PATCH_FORCE)
    query = {"fieldManager": manager, "force": str(forced).lower()}
    if dry_run:
        query["dryRun"] = "All"
    return cluster.client.request("PATCH", cluster.path(obj), query, obj, APPLY_PATCH)


def leave_scaled_replicas(obj: Object, old: Object, live: Object, manager: str) -> Object:
    """Leave `spec.replicas` to the autoscaler that has set it since, unless the program asks for a new number.

    Args:
        obj: what is about to be applied.
        old: the inputs of the last update.
        live: the object as it is.
        manager: our own field manager.
    """
    wanted = dig(obj, "spec", "replicas")
    if wanted is None or wanted != dig(old, "spec", "replicas") or not scaled_by_another(live, manager):
        return obj
    return {**obj, "spec": {key: value for key, value in obj["spec"].items() if key != "replicas"}}


def scaled_by_another(live: Object, manager: str) -> bool:
    """Tell whether the number of replicas has been set through the scale subresource, as an autoscaler does."""
    return any(
        entry.get("subresource") == "scale"
        and entry.get("manager") != manager
        and "f:replicas" in dig(entry, "fieldsV1", "f:spec", default={})
        for entry in dig(live, "metadata", "managedFields", default=[])
    )
