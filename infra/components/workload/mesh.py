"""The mesh between the gateway and the services: mutual TLS alone, and of the callers those that the flows name.

Sidecars come with the chart's pods (`mesh` in its values); databases, caches, brokers and monitoring have none.
"""

from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from infra import names
from infra.components.base import Component, Target
from infra.components.edge.istio_policies import SECURITY_API
from infra.components.workload.flows import Caller, callers
from infra.config.settings import Settings
from infra.config.types import GatewayKind

TRUST_DOMAIN: Final = "cluster.local"
"""Istio's default, and its name for a mesh's own whatever that is."""


def namespace_labels(settings: Settings) -> dict[str, str]:
    """Labels of the stack's namespace: istiod knows it, and gives sidecars to pods that ask for one by a label."""
    return {"istio-discovery": "enabled"} if settings.gateway_kind is GatewayKind.ISTIO else {}


def authorization(namespace: str, own: names.ServiceNames, allowed: Sequence[Caller]) -> dict[str, Any]:
    """The AuthorizationPolicy of a service's servers: a rule for each caller that has an identity.

    Args:
        namespace: of the callers.
        own: names of the service.
        allowed: its callers.
    """
    return {
        "selector": {"matchLabels": own.server_labels},
        "action": "ALLOW",
        "rules": [_rule(namespace, caller) for caller in allowed if caller.accounts],
    }


def _rule(namespace: str, caller: Caller) -> dict[str, Any]:
    principals = [f"{TRUST_DOMAIN}/ns/{namespace}/sa/{account}" for account in caller.accounts]
    operation: dict[str, Any] = {"ports": [str(names.API_PORT)]}
    if caller.paths:
        operation |= {"methods": ["GET"], "paths": list(caller.paths)}
    return {"from": [{"source": {"principals": principals}}], "to": [{"operation": operation}]}


class Mesh(Component):
    """Policies of the mesh, before the releases whose pods they are for.

    Args:
        settings: the stack's.
    """

    def __init__(self, name: str, target: Target, *, settings: Settings, after: Sequence[pulumi.Resource]) -> None:
        super().__init__(name, target, after)
        # Of pods with a sidecar: the others have nothing that would refuse plain text.
        self._policy("mutual-tls", "PeerAuthentication", names.PROJECT, {"mtls": {"mode": "STRICT"}})
        # What no other policy allows is refused, to whatever else gets a sidecar too.
        self._policy("default-deny", "AuthorizationPolicy", "default-deny", {})
        for own in map(names.ServiceNames, settings.row.services):
            spec = authorization(target.namespace, own, tuple(callers(settings, own)))
            self._policy(f"flows{own.suffix}", "AuthorizationPolicy", own.release, spec)
        self.register_outputs({})

    def _policy(self, part: str, kind: str, name: str, spec: dict[str, Any]) -> None:
        CustomResource(
            f"{self.name}-{part}",
            api_version=SECURITY_API,
            kind=kind,
            metadata=self.metadata(name),
            spec=spec,
            opts=self.options(),
        )


def mesh(settings: Settings, target: Target, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
    """Register the mesh, if the stack has one."""
    return [Mesh("mesh", target, settings=settings, after=after)] if settings.meshed else []
