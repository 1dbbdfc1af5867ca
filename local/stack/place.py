"""Place of a stack in its cluster, for kubectl."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.config.reading import context_of
from infra.names import PROJECT
from local.errors import LocalError
from local.host.commands import run
from local.stack import pulumi
from local.tools import environment


@dataclass(frozen=True)
class Place:
    """Where the stack's objects are.

    Args:
        namespace: of the stack.
        context: of the kubeconfig; empty for its current one.
        gateway_namespace: where the gateway's Service is: that of Traefik or Kong, or the stack's own with Istio.
    """

    namespace: str
    context: str = ""
    gateway_namespace: str = "traefik"

    def kubectl(self, *arguments: str, namespace: str = "") -> str:
        """Run kubectl there, and return what it printed; raise LocalError with its words when it failed."""
        context = [f"--context={self.context}"] if self.context else []
        where = ["--namespace", namespace or self.namespace]
        return run("kubectl", *context, *where, *arguments, env=environment.variables())

    def objects(self, kind: str, namespace: str = "") -> list[dict[str, Any]]:
        """Return the objects of a kind."""
        listed: dict[str, list[dict[str, Any]]] = json.loads(
            self.kubectl("get", kind, "--output=json", namespace=namespace)
        )
        return listed["items"]


def place_of(stack: str | None, outputs: Mapping[str, Any]) -> Place:
    """Return the place of a stack that is up.

    Raises:
        LocalError: its configuration names two contexts.
    """
    config = json.loads(pulumi.run("config", "--json", stack=stack, capture=True))
    try:
        context = context_of({key: entry.get("value") for key, entry in config.items()})
    except ValueError as error:
        raise LocalError(str(error)) from error
    # Stacks that a former release has brought up do not say it.
    gateway = config.get(f"{PROJECT}:gateway", {}).get("objectValue") or {}
    flat = config.get(f"{PROJECT}:gateway_namespace", {}).get("value")
    there = outputs.get("gateway_namespace") or gateway.get("namespace") or flat or Place.gateway_namespace
    return Place(outputs["namespace"], context, there)
