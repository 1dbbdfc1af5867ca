"""The life of a resource, as the engine asks for it; one implementation for objects, one for Helm releases."""

from dataclasses import dataclass
from typing import Protocol

from local.plugins.kubernetes_provider import create as creating
from local.plugins.kubernetes_provider.awaiting.surroundings import LiveSurroundings
from local.plugins.kubernetes_provider.awaiting.wait import rule_for
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
class Subject:
    """The resource that a call is about."""

    urn: str
    token: str
    name: str
    identity: str = ""
    # The resource's own timeout for the operation, in seconds; 0 when it has none.
    timeout: float = 0.0


@dataclass(frozen=True)
class Reading:
    """What a read has found; `problems` say why the resource is not well."""

    identity: str
    state: Tree
    inputs: Tree
    problems: tuple[str, ...] = ()


class Lifecycle(Protocol):
    """What each kind of resource can do."""

    def check(self, subject: Subject, news: Tree, olds: Tree, seed: bytes, naming: Autonaming) -> Tree:
        """Complete the inputs."""

    def diff(self, subject: Subject, old_inputs: Tree, state: Tree, news: Tree) -> Difference:
        """Compare the inputs with those of the last update."""

    def create(self, subject: Subject, inputs: Tree, *, preview: bool) -> tuple[str, Tree]:
        """Make the resource; give its id and its state."""

    def read(self, subject: Subject, inputs: Tree, state: Tree) -> Reading | None:
        """Look at the resource; None when it is gone."""

    def update(self, subject: Subject, inputs: Tree, old_inputs: Tree, state: Tree, *, preview: bool) -> Tree:
        """Change the resource; give its state."""

    def delete(self, subject: Subject, state: Tree) -> None:
        """Delete the resource and wait until it is gone."""


class ObjectLifecycle:
    """The life of one Kubernetes object."""

    def __init__(self, cluster: Cluster) -> None:
        """Args: cluster: where the objects live."""
        self._cluster = cluster

    def check(self, subject: Subject, news: Tree, olds: Tree, seed: bytes, naming: Autonaming) -> Tree:
        """Complete the inputs."""
        return check(self._cluster, subject.token, subject.name, news, olds, seed, naming)

    def diff(self, subject: Subject, old_inputs: Tree, state: Tree, news: Tree) -> Difference:
        """Compare the inputs with those of the last update."""
        del subject
        return diff(self._cluster, inputs_of(state, old_inputs), news, manager_of(state))

    def create(self, subject: Subject, inputs: Tree, *, preview: bool) -> tuple[str, Tree]:
        """Make the object; give its id and its state."""
        if preview:
            return "", creating.preview_create(self._cluster, inputs)
        return creating.create(self._cluster, subject.urn, inputs, subject.timeout)

    def read(self, subject: Subject, inputs: Tree, state: Tree) -> Reading | None:
        """Look at the object; None when it is gone."""
        found = read(self._cluster, subject.token, subject.identity, inputs, state)
        if found is None:
            return None
        rule = rule_for(found.live)
        around = LiveSurroundings(self._cluster.client, namespace_of(found.live))
        verdict = rule(found.live, around) if rule and state else None
        problems = verdict.problems if verdict and verdict.hopeless else ()
        return Reading(subject.identity, found.state, found.inputs, problems)

    def update(self, subject: Subject, inputs: Tree, old_inputs: Tree, state: Tree, *, preview: bool) -> Tree:
        """Change the object; give its state."""
        before, manager = inputs_of(state, old_inputs), manager_of(state)
        if preview:
            return creating.preview_update(self._cluster, inputs, before, manager)
        return creating.update(self._cluster, subject.urn, inputs, before, manager, subject.timeout)

    def delete(self, subject: Subject, state: Tree) -> None:
        """Delete the object and wait until it is gone."""
        obj = live_of(state)
        namespace, name = split_identity(subject.identity)
        metadata = {**obj.get("metadata", {}), "name": name}
        if namespace:
            metadata["namespace"] = namespace
        delete(self._cluster, subject.urn, {**obj, "metadata": metadata}, subject.timeout)
