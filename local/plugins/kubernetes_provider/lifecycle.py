"""Lifecycle of a resource: check, diff, create, read, update, delete; for objects, and for Helm releases."""

from dataclasses import dataclass
from typing import Protocol

from local.plugins.kubernetes_provider import create as creating
from local.plugins.kubernetes_provider.awaiters.lookups import ApiLookups
from local.plugins.kubernetes_provider.awaiters.wait import rule_for
from local.plugins.kubernetes_provider.check import check
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.delete import delete
from local.plugins.kubernetes_provider.diff import Difference, diff
from local.plugins.kubernetes_provider.naming import Autonaming
from local.plugins.kubernetes_provider.objects import namespace_of, split_identity
from local.plugins.kubernetes_provider.read import read
from local.plugins.kubernetes_provider.state import inputs_of, live_of, manager_of
from local.plugins.kubernetes_provider.values import Tree


@dataclass(frozen=True)
class ResourceRef:
    """The resource of a call."""

    urn: str
    token: str
    name: str
    identity: str = ""
    # The resource's own timeout for the operation, in seconds; 0 when it has none.
    timeout: float = 0.0


@dataclass(frozen=True)
class ReadResult:
    """The result of a read; `problems` say why the resource has failed."""

    identity: str
    state: Tree
    inputs: Tree
    problems: tuple[str, ...] = ()


class Lifecycle(Protocol):
    """The operations of a kind of resource."""

    def check(self, resource: ResourceRef, news: Tree, olds: Tree, seed: bytes, naming: Autonaming) -> Tree:
        """Complete the inputs."""

    def diff(self, resource: ResourceRef, old_inputs: Tree, state: Tree, news: Tree) -> Difference:
        """Compare the inputs with those of the last update."""

    def create(self, resource: ResourceRef, inputs: Tree, *, preview: bool) -> tuple[str, Tree]:
        """Make the resource; give its id and its state."""

    def read(self, resource: ResourceRef, inputs: Tree, state: Tree) -> ReadResult | None:
        """Read the resource; None when it is gone."""

    def update(self, resource: ResourceRef, inputs: Tree, old_inputs: Tree, state: Tree, *, preview: bool) -> Tree:
        """Change the resource; give its state."""

    def delete(self, resource: ResourceRef, state: Tree) -> None:
        """Delete the resource and wait until it is gone."""


class ObjectLifecycle:
    """Lifecycle of Kubernetes objects."""

    def __init__(self, cluster: Cluster) -> None:
        """Args: cluster: where the objects live."""
        self._cluster = cluster

    def check(self, resource: ResourceRef, news: Tree, olds: Tree, seed: bytes, naming: Autonaming) -> Tree:
        """Complete the inputs."""
        return check(self._cluster, resource.token, resource.name, news, olds, seed, naming)

    def diff(self, resource: ResourceRef, old_inputs: Tree, state: Tree, news: Tree) -> Difference:
        """Compare the inputs with those of the last update."""
        del resource
        return diff(self._cluster, inputs_of(state, old_inputs), news, live_of(state), manager_of(state))

    def create(self, resource: ResourceRef, inputs: Tree, *, preview: bool) -> tuple[str, Tree]:
        """Make the object; give its id and its state."""
        if preview:
            return "", creating.preview_create(self._cluster, inputs)
        return creating.create(self._cluster, resource.urn, inputs, resource.timeout)

    def read(self, resource: ResourceRef, inputs: Tree, state: Tree) -> ReadResult | None:
        """Read the object; None when it is gone."""
        found = read(self._cluster, resource.token, resource.identity, inputs, state)
        if found is None:
            return None
        rule = rule_for(found.live)
        lookups = ApiLookups(self._cluster.client, namespace_of(found.live))
        readiness = rule(found.live, lookups) if rule and state else None
        problems = readiness.problems if readiness and readiness.failed else ()
        return ReadResult(resource.identity, found.state, found.inputs, problems)

    def update(self, resource: ResourceRef, inputs: Tree, old_inputs: Tree, state: Tree, *, preview: bool) -> Tree:
        """Change the object; give its state."""
        before, manager = inputs_of(state, old_inputs), manager_of(state)
        if preview:
            return creating.preview_update(self._cluster, inputs, before, manager)
        return creating.update(self._cluster, resource.urn, inputs, before, manager, resource.timeout)

    def delete(self, resource: ResourceRef, state: Tree) -> None:
        """Delete the object and wait until it is gone."""
        obj = live_of(state)
        namespace, name = split_identity(resource.identity)
        metadata = {**obj.get("metadata", {}), "name": name}
        if namespace:
            metadata["namespace"] = namespace
        delete(self._cluster, resource.urn, {**obj, "metadata": metadata}, resource.timeout)
