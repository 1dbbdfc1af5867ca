"""Check: completed inputs, with name, namespace, apiVersion and kind."""

from typing import Any

from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.discovery import UnknownKindError
from local.plugins.kubernetes_provider.naming import Autonaming, assign_name
from local.plugins.kubernetes_provider.objects import Object
from local.plugins.kubernetes_provider.secret_values import mark_like
from local.plugins.kubernetes_provider.tokens import kind_of
from local.plugins.kubernetes_provider.values import Tree, Value, plain

# Type definitions in a CustomResourceDefinition carry names that no Python argument can have.
_RENAMED_PREFIX = "x_kubernetes_"


def check(
    cluster: Cluster, token: str, resource_name: str, news: Tree, olds: Tree, seed: bytes, naming: Autonaming
) -> Tree:
    """Complete the inputs of a resource.

    Args:
        cluster: the configured provider.
        token: the resource's type.
        resource_name: its name in the program.
        news: the program's inputs.
        olds: the inputs of the last update; empty for a new or replaced resource.
        seed: the engine's random bytes for a name.
        naming: the engine's configuration of names.

    Returns:
        The inputs with apiVersion, kind, name and namespace, secrets marked as they came.

    Raises:
        ProviderError: a type or a setting that cannot be honoured.
    """
    api_version, kind = kind_of(token)
    obj = normalise(plain(news))
    obj.setdefault("apiVersion", api_version)
    obj.setdefault("kind", kind)
    assign_name(obj, plain(olds), resource_name, seed, naming)
    _set_namespace(cluster, obj)
    return dict(mark_like(obj, news))


def _set_namespace(cluster: Cluster, obj: Object) -> None:
    metadata = obj["metadata"]
    if not isinstance(metadata, dict):
        return
    try:
        namespaced = cluster.resource(obj).namespaced
    except UnknownKindError:
        # Its definition may come in this very update; whether it has a namespace is then up to the program.
        return
    if namespaced:
        metadata.setdefault("namespace", cluster.default_namespace)
    else:
        metadata.pop("namespace", None)


def normalise(inputs: dict[str, Any]) -> Object:
    """Drop what is the engine's and not the object's: `__` inputs and nulls; undo the SDK's renaming."""
    return {key: api_names(value) for key, value in inputs.items() if value is not None and not key.startswith("__")}


def api_names(value: Value) -> Value:
    """Give the names that the API server knows: `x-kubernetes-…` for `x_kubernetes_…`."""
    if isinstance(value, dict):
        return {
            _api_name(key): api_names(item) for key, item in value.items() if item is not None and key != "__defaults"
        }
    if isinstance(value, list):
        return [api_names(item) for item in value]
    return value


def _api_name(key: str) -> str:
    return key.replace("_", "-") if key.startswith(_RENAMED_PREFIX) else key


def sdk_names(value: Value) -> Value:
    """Give the names that the SDK knows: the opposite of `api_names`."""
    if isinstance(value, dict):
        return {_sdk_name(key): sdk_names(item) for key, item in value.items()}
    if isinstance(value, list):
        return [sdk_names(item) for item in value]
    return value


def _sdk_name(key: str) -> str:
    return key.replace("-", "_") if key.startswith("x-kubernetes-") else key
