"""Diff: what changes between two updates, and whether that needs a replacement."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from local.plugins.kubernetes_provider.apply import apply
from local.plugins.kubernetes_provider.awaiters import job
from local.plugins.kubernetes_provider.changes import Change, Kind, compare
from local.plugins.kubernetes_provider.check import normalise
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.errors import ApiError, ProviderError
from local.plugins.kubernetes_provider.immutable import must_replace
from local.plugins.kubernetes_provider.naming import is_explicit
from local.plugins.kubernetes_provider.objects import Object, dig, flag, name_of, namespace_of
from local.plugins.kubernetes_provider.values import Tree, has_unknown, plain

_REPLACE_UNREADY = "pulumi.com/replaceUnready"

# Groups of the API server's own kinds whose names have a dot (k8s.io/api of Kubernetes 1.34).
_BUILT_IN_GROUPS = frozenset(
    f"{name}.k8s.io"
    for name in (
        "admissionregistration",
        "apiextensions",
        "apiregistration",
        "authentication",
        "authorization",
        "certificates",
        "coordination",
        "discovery",
        "events",
        "flowcontrol.apiserver",
        "internal.apiserver",
        "networking",
        "node",
        "rbac.authorization",
        "resource",
        "scheduling",
        "storage",
        "storagemigration",
    )
)

# What a write changes by itself.
_BOOKKEEPING = ("managedFields", "resourceVersion", "generation", "creationTimestamp")


@dataclass(frozen=True)
class Difference:
    """The outcome of a comparison."""

    changes: tuple[Change, ...] = ()
    replaces: tuple[Change, ...] = field(default=())
    delete_first: bool = False

    def without(self, ignored: Iterable[str]) -> "Difference":
        """Leave out changes at the paths of `ignoreChanges`, and below them."""

        def kept(changes: tuple[Change, ...]) -> tuple[Change, ...]:
            return tuple(
                change
                for change in changes
                if not any(
                    change.text() == path or change.text().startswith((f"{path}.", f"{path}[")) for path in paths
                )
            )

        paths = tuple(ignored)
        replaces = kept(self.replaces)
        return Difference(kept(self.changes), replaces, self.delete_first and bool(replaces))


def diff(cluster: Cluster, old_inputs: Tree, new_inputs: Tree, live: Object, manager: str) -> Difference:
    """Compare the inputs of two updates.

    A difference that the API server would not see (`1000m` of a processor or `1`, a default written out) is none: an
    apply that is only tried shows what would change. A custom resource is compared with its live object of the last
    update instead, and whatever a controller spells differently is a change, as the official provider has it (`Diff`
    and `normalizeInputs` of pulumi-kubernetes 4.34).

    Args:
        cluster: the configured provider.
        old_inputs: what was asked for last time, or what a refresh has found.
        live: the object as the last update or refresh saw it.
        new_inputs: what is asked for now.
        manager: the field manager that applies the object.
    """
    old, new = normalise(plain(old_inputs)), normalise(plain(new_inputs))
    custom = is_custom(new)
    if custom:
        old = prune(live, old)
    _same_version(old, new)
    found = compare_objects(
        old,
        new,
        config_map_mutable=cluster.settings.enable_config_map_mutable,
        secret_mutable=cluster.settings.enable_secret_mutable,
    )
    if not found.replaces and _is_unready_job(cluster, old, new):
        unready = Change(("metadata", "annotations", _REPLACE_UNREADY), Kind.UPDATE)
        return Difference((*found.changes, unready), (unready,), delete_first=_same_place(old, new))
    if custom or not found.changes or found.replaces or has_unknown(new):
        return found
    return Difference() if _changes_nothing(cluster, new, manager) else found


def is_custom(obj: Object) -> bool:
    """Tell whether an object's kind comes from a CustomResourceDefinition."""
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    return "." in group and group not in _BUILT_IN_GROUPS


def prune(live: Any, inputs: Any) -> Any:
    """Give the parts of a live object that the inputs have set, as the server has them."""
    if isinstance(live, dict) and isinstance(inputs, dict):
        return {key: prune(live[key], value) for key, value in inputs.items() if key in live}
    if isinstance(live, list) and isinstance(inputs, list):
        return [prune(*items) for items in zip(live, inputs, strict=False)]
    return live


def compare_objects(old: Object, new: Object, *, config_map_mutable: bool, secret_mutable: bool) -> Difference:
    """Compare two objects without asking anyone."""
    changes = tuple(compare(old, new))
    replaces = tuple(
        change
        for change in changes
        if must_replace(new, change.path, config_map_mutable=config_map_mutable, secret_mutable=secret_mutable)
        and not _namespace_filled_in(change, old, new)
    )
    return Difference(changes, replaces, delete_first=bool(replaces) and _same_place(old, new))


def _same_place(old: Object, new: Object) -> bool:
    """Tell whether the new object takes the old one's name, so that the old one has to go first."""
    return is_explicit(new) and name_of(old) == name_of(new) and namespace_of(old) == namespace_of(new)


def _is_unready_job(cluster: Cluster, old: Object, new: Object) -> bool:
    """Tell whether a Job asks to be replaced when it has not completed, and has not; the official provider's rule."""
    if new.get("kind") != "Job" or not flag(new, _REPLACE_UNREADY):
        return False
    try:
        return not job.completed(cluster.read(old))
    except ApiError:
        # One that is gone is created again by the update.
        return False


def _namespace_filled_in(change: Change, old: Object, new: Object) -> bool:
    """Tell whether the namespace only seems to change: it was `default` without being written."""
    if change.path != ("metadata", "namespace"):
        return False
    return (namespace_of(old) or "default") == (namespace_of(new) or "default") and change.kind is not Kind.UPDATE


def _same_version(old: Object, new: Object) -> None:
    """Let an object move to another version of its own API group without being replaced."""
    group_old = str(old.get("apiVersion", "")).rpartition("/")[0]
    group_new = str(new.get("apiVersion", "")).rpartition("/")[0]
    if group_old == group_new and "apiVersion" in new and old.get("kind") == new.get("kind"):
        old["apiVersion"] = new["apiVersion"]


def _changes_nothing(cluster: Cluster, new: Object, manager: str) -> bool:
    try:
        live = comparable(cluster.read(new))
        tried = comparable(apply(cluster, new, manager, dry_run=True))
        # A controller may have written between the two: then the trial stands on what a second look finds.
        return tried == live or tried == comparable(cluster.read(new))
    except (ApiError, ProviderError):
        # The update, or its preview, will meet the same refusal and report it.
        return False


def comparable(obj: Object) -> Object:
    """Leave out of a live object what changes with each write and with what a controller finds."""
    metadata = {key: value for key, value in dig(obj, "metadata", default={}).items() if key not in _BOOKKEEPING}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}
