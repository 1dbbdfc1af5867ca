"""The state of an object in the engine: its live form and its inputs, secrets marked."""

from typing import Any

from local.plugins.kubernetes_provider.check import api_names, sdk_names
from local.plugins.kubernetes_provider.objects import Object
from local.plugins.kubernetes_provider.secret_values import mark_like, mark_secret_kind
from local.plugins.kubernetes_provider.values import Tree, plain

FIELD_MANAGER = "pulumi-kubernetes"

# The official provider keeps these beside the live object and reads them back; so a stack can change hands.
_INPUTS = "__inputs"
_API_VERSION = "__initialApiVersion"
_FIELD_MANAGER = "__fieldManager"

# kubectl apply writes the whole object, a Secret's values included, into this annotation.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def outputs(live: Object, inputs: Tree, manager: str = FIELD_MANAGER) -> Tree:
    """Make the state of an object.

    Args:
        live: the object as the API server gave it.
        inputs: the checked inputs, secrets marked.
        manager: the field manager that applies it.
    """
    seen = mark_secret_kind(dict(mark_like(sdk_names(without_bookkeeping(live)), inputs)))
    kept_inputs = mark_secret_kind(dict(sdk_names(inputs)))
    return {**seen, _INPUTS: kept_inputs, _API_VERSION: live.get("apiVersion", ""), _FIELD_MANAGER: manager}


def without_bookkeeping(live: Object) -> Object:
    """Leave out who manages which field, and kubectl's copy of the object."""
    metadata = {key: value for key, value in (live.get("metadata") or {}).items() if key != "managedFields"}
    if _LAST_APPLIED in (metadata.get("annotations") or {}):
        metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if k != _LAST_APPLIED}
    return {**live, "metadata": metadata}


def live_of(state: Tree) -> Object:
    """Take the live object out of a state, without secret wrappers."""
    return dict(api_names({key: value for key, value in plain(state).items() if not key.startswith("__")}))


def inputs_of(state: Tree, sent: Tree) -> Tree:
    """Give the inputs of the last update: as the engine sent them, else those kept in the state."""
    if sent:
        return sent
    kept: Any = state.get(_INPUTS)
    return kept if isinstance(kept, dict) else {}


def manager_of(state: Tree) -> str:
    """Give the field manager that has applied the object so far."""
    return str(state.get(_FIELD_MANAGER) or FIELD_MANAGER)
