"""Read: an object as it is now, for `pulumi refresh`, `pulumi import` and `.get`."""

from dataclasses import dataclass

from local.plugins.kubernetes_provider.apply import scaled_by_another
from local.plugins.kubernetes_provider.check import api_names
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.discovery import UnknownKindError
from local.plugins.kubernetes_provider.errors import ApiError
from local.plugins.kubernetes_provider.objects import Object, split_identity
from local.plugins.kubernetes_provider.secret_values import mark_like, mark_secret_kind
from local.plugins.kubernetes_provider.state import live_of, manager_of, outputs, without_bookkeeping
from local.plugins.kubernetes_provider.tokens import kind_of
from local.plugins.kubernetes_provider.values import Tree, Value, plain

# Fields that the server fills in and that no program writes.
_SERVERS_METADATA = frozenset(
    {"creationTimestamp", "generation", "managedFields", "ownerReferences", "resourceVersion", "selfLink", "uid"}
)


@dataclass(frozen=True)
class ReadObject:
    """An object that is there: its state and the inputs that would make it so."""

    state: Tree
    inputs: Tree
    live: Object


def read(cluster: Cluster, token: str, identity: str, inputs: Tree, state: Tree) -> ReadObject | None:
    """Read an object.

    Args:
        cluster: the configured provider.
        token: the resource's type.
        identity: `namespace/name`, or the name.
        inputs: the inputs of the last update; empty at an import.
        state: the state of the last update; empty at an import.

    Returns:
        None when the object is gone.
    """
    api_version, kind = kind_of(token)
    known = plain(inputs) or plain(state)
    namespace, name = split_identity(identity)
    target = {
        "apiVersion": str(known.get("apiVersion") or api_version),
        "kind": str(known.get("kind") or kind),
        "metadata": {"name": name, "namespace": namespace or cluster.default_namespace},
    }
    try:
        live = cluster.read(target)
    except UnknownKindError:
        return None
    except ApiError as error:
        if error.code == 404:
            return None
        raise
    if not inputs:
        made = mark_secret_kind(imported_inputs(live))
        return ReadObject(outputs(live, made), made, live)
    then = api_names(plain(inputs))
    now = drifted(then, live_of(state), live)
    if scaled_by_another(live, manager_of(state)) and "replicas" in then.get("spec", {}):
        now["spec"]["replicas"] = then["spec"]["replicas"]
    marked = dict(mark_like(now, inputs))
    return ReadObject(outputs(live, marked, manager_of(state)), marked, live)


def drifted(inputs: Value, before: Value, now: Value) -> Value:
    """Bring the inputs up to date with what someone else has changed.

    A field counts as changed when the live object had one value after the last update and has another now. So what
    the server merely writes differently (`1000m`, `1`) is no drift. A field that we did not set is not looked at.

    Args:
        inputs: what the program asked for.
        before: the live value after the last update.
        now: the live value of this moment.
    """
    if isinstance(inputs, dict) and isinstance(now, dict):
        earlier = before if isinstance(before, dict) else {}
        return {
            key: drifted(value, earlier.get(key), now.get(key))
            for key, value in inputs.items()
            if key in now or key not in earlier
        }
    if isinstance(inputs, list) and isinstance(now, list) and isinstance(before, list):
        if len(now) != len(before):
            return now
        if len(inputs) != len(before):
            return inputs if now == before else now
        return [drifted(*items) for items in zip(inputs, before, now, strict=True)]
    return inputs if now == before else now


def imported_inputs(live: Object) -> Tree:
    """Give the inputs that describe an object which Pulumi has not made."""
    kept = without_bookkeeping(live)
    metadata = {key: value for key, value in kept["metadata"].items() if key not in _SERVERS_METADATA}
    return {**{key: value for key, value in kept.items() if key not in ("status", "metadata")}, "metadata": metadata}
