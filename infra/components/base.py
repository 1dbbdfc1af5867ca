"""Base class of components, and the target that they are created in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.policy import v1 as policy

from infra.components.network import Flow


@dataclass(frozen=True)
class Target:
    """Where a stack's resources go.

    Args:
        provider: the cluster.
        adopting: the same, for what may be there already and then becomes the stack's.
        namespace: the stack's own.
        stack: its name, put on every resource as a label.
        storage_class: of every volume; None for the cluster's default.
        api_server: how pods call the API server.
        dns: how pods resolve names.
        protect: whether what holds data refuses to be destroyed.
        pull_secret: Secret by which pods pull their images; None for none.
    """

    provider: kubernetes.Provider
    adopting: kubernetes.Provider
    namespace: str
    stack: str
    storage_class: str | None
    api_server: Flow
    dns: tuple[Flow, ...]
    protect: bool
    pull_secret: str | None

    @property
    def pull_secrets(self) -> list[core.LocalObjectReferenceArgs] | None:
        """The `imagePullSecrets` of every pod."""
        return [core.LocalObjectReferenceArgs(name=self.pull_secret)] if self.pull_secret else None

    def labels(self, component: str) -> dict[str, str]:
        """Labels by which people and policies find a component's objects."""
        return {
            "app.kubernetes.io/part-of": "task-manager",
            "app.kubernetes.io/component": component,
            "app.kubernetes.io/managed-by": "pulumi",
            "task-manager/stack": self.stack,
        }


class Component(pulumi.ComponentResource):
    """A part of the system. Its children are made in the target, after the components that it stands on.

    Args:
        name: the same in every phase. Children are named after it.
        target: where the children go.
        after: what has to be there first.
    """

    TYPE: ClassVar[str] = ""
    """Last part of the type token, where it is not the class's name. Tokens are part of each URN in a stack's state, so
    a renamed class keeps the former one."""

    def __init__(self, name: str, target: Target, after: Sequence[pulumi.Resource] = ()) -> None:
        options = pulumi.ResourceOptions(providers=[target.provider])
        super().__init__(f"task-manager:components:{self.TYPE or type(self).__name__}", name, None, options)
        self.name = name
        self.target = target
        self._after = tuple(after)

    def metadata(self, name: str, annotations: dict[str, str] | None = None) -> meta.ObjectMetaArgs:
        """Metadata of an object in the stack's namespace."""
        return meta.ObjectMetaArgs(
            name=name, namespace=self.target.namespace, labels=self.target.labels(self.name), annotations=annotations
        )

    def disruption_budget(self, name: str, labels: Mapping[str, str], resource: str = "") -> None:
        """Register a budget that lets one pod be away at a time.

        Args:
            name: of the object.
            labels: of the pods.
            resource: what the name of the program's resource begins with; by default the component's name.
        """
        policy.PodDisruptionBudget(
            f"{resource or self.name}-budget",
            metadata=self.metadata(name),
            spec=policy.PodDisruptionBudgetSpecArgs(
                max_unavailable=1, selector=meta.LabelSelectorArgs(match_labels=dict(labels))
            ),
            opts=self.options(),
        )

    def options(
        self,
        *after: pulumi.Resource,
        protect: bool = False,
        retain: bool = False,
        minutes: int | None = None,
        delete_before_replace: bool | None = None,
        ignore_changes: Sequence[str] = (),
    ) -> pulumi.ResourceOptions:
        """Options of a child.

        Args:
            after: siblings that it needs, beside what the whole component needs.
            protect: whether it holds data that must not go with the stack.
            retain: whether it stays in the cluster when the program no longer names it.
            ignore_changes: paths of inputs that later runs leave as they were created.
            minutes: how long its readiness is waited for, where the provider's own 5 or 10 do not fit.
        """
        limit = f"{minutes}m" if minutes else None
        return pulumi.ResourceOptions(
            parent=self,
            depends_on=[*self._after, *after],
            protect=protect and self.target.protect,
            retain_on_delete=retain,
            custom_timeouts=pulumi.CustomTimeouts(create=limit, update=limit) if limit else None,
            delete_before_replace=delete_before_replace,
            ignore_changes=list(ignore_changes) or None,
        )
