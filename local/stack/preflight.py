"""Checks and repairs before an update of a stack, whichever Kubernetes provider the engine finds.

The stand-in provider looks after all of it itself; the official one knows neither the cluster's identity nor what was
left by a Helm that was killed, nor what somebody has changed in a release by hand.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TextIO

from infra.config.reading import context_of
from local.errors import LocalError
from local.plugins.kubernetes_provider.client import Client
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.discovery import Discovery
from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.kubeconfig import is_lost, load
from local.plugins.kubernetes_provider.release import drift, record, recovery
from local.plugins.kubernetes_provider.release.inputs import ReleaseInputs
from local.plugins.kubernetes_provider.settings import Settings
from local.plugins.plugin_kit.engine import Engine
from local.stack import pulumi
from local.tools import environment

_STACK: Final = "pulumi:pulumi:Stack"
_PROVIDER: Final = "pulumi:providers:kubernetes"


@dataclass(frozen=True)
class DeployedStack:
    """A stack that has been brought up before, and its cluster."""

    cluster: Cluster
    namespace: str

    def releases(self) -> list[str]:
        """List its Helm releases: one, or one a service."""
        return record.release_names(self.cluster.client, self.namespace)


class _WarningStream(Engine):
    """An engine whose warnings go to a stream."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__("")
        self._stream = stream

    def warning(self, urn: str, message: str) -> None:
        del urn
        self._stream.write(f"{message}\n")


@contextmanager
def _as_local_error() -> Iterator[None]:
    try:
        yield
    except ProviderError as error:
        raise LocalError(str(error)) from error


def deployed(name: str, stream: TextIO) -> DeployedStack | None:
    """Find a stack's cluster; None for a stack that was never brought up.

    Args:
        stream: where warnings go.

    Raises:
        LocalError: the kubeconfig leads to another cluster than the stack is in, or to none.
    """
    state = json.loads(pulumi.run("stack", "export", stack=name, capture=True))
    config = json.loads(pulumi.run("config", "--json", stack=name, capture=True))
    try:
        context = context_of({key: entry.get("value") for key, entry in config.items()})
    except ValueError as error:
        raise LocalError(str(error)) from error
    resources = (state.get("deployment") or {}).get("resources") or []
    namespace = next((each.get("outputs", {}).get("namespace") for each in resources if each["type"] == _STACK), None)
    if namespace is None:
        _forget_lost_kubeconfigs(name, state, stream)
        return None
    with _as_local_error():
        client = Client(load(environment.variables().get("KUBECONFIG"), context or None))
        uid = client.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    # A stack of a release that did not remember its cluster learns of it in its next update.
    _forget_lost_kubeconfigs(name, state, stream)
    known = {each["inputs"].get("clusterIdentifier", uid) for each in resources if each["type"] == _PROVIDER} - {uid}
    if known:
        raise LocalError(
            f"stack {name} is in the cluster {known.pop()}, and {client.connection.source} leads to {uid} "
            "(uids of kube-system): set KUBECONFIG or task-manager:context to the stack's own; if that is gone for "
            f"good, `pulumi stack rm --force --preserve-config {name}` forgets it; nothing has been changed"
        )
    return DeployedStack(Cluster(client, Discovery(client), Settings(), _WarningStream(stream)), namespace)


def _forget_lost_kubeconfigs(name: str, state: dict[str, Any], stream: TextIO) -> None:
    """Take paths of kubeconfigs that are not on this machine out of the providers' inputs.

    Releases before kept $KUBECONFIG there, and the official provider compares no inputs with a path that is gone. The
    program gives none any more, and the uid beside it says which cluster it is.
    """
    lost = False
    for resource in (state.get("deployment") or {}).get("resources") or []:
        if resource["type"] != _PROVIDER:
            continue
        for properties in (resource.get("inputs") or {}, resource.get("outputs") or {}):
            kubeconfig = properties.get("kubeconfig")
            if isinstance(kubeconfig, str) and is_lost(kubeconfig):
                del properties["kubeconfig"]
                lost = True
    if not lost:
        return
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(state, file)
        file.flush()
        pulumi.run("stack", "import", "--file", file.name, stack=name, capture=True)
    stream.write(f"stack {name}: the path of a kubeconfig that is not there has been taken out of its state\n")


def check(name: str, stream: TextIO) -> None:
    """Refuse a kubeconfig of another cluster, and write what somebody has changed in a release by hand.

    Raises:
        LocalError: see `deployed`.
    """
    found = deployed(name, stream)
    with _as_local_error():
        for change in _drift(found) if found else []:
            stream.write(f"changed by hand: {change}\n")


def prepare(name: str, stream: TextIO) -> None:
    """Refuse a kubeconfig of another cluster, and bring its releases to where Helm can go on.

    A release that was left pending when an update was killed is rolled back, or removed if it never ran; what somebody
    has changed by hand is brought back to the release's manifest.

    Raises:
        LocalError: see `deployed`; or Helm or the API server refuses.
    """
    found = deployed(name, stream)
    if found is None:
        return
    with _as_local_error():
        for name in found.releases():
            recovery.recover(
                found.cluster, "", ReleaseInputs(name=name, namespace=found.namespace, chart="", values={})
            )
        for change in _drift(found):
            drift.revert(found.cluster, change)
            stream.write(f"changed by hand, brought back: {change}\n")


def _drift(found: DeployedStack) -> list[drift.Drift]:
    latest = [record.latest(found.cluster.client, found.namespace, name) for name in found.releases()]
    deployed = [release for release in latest if release and release.status == record.DEPLOYED]
    return [change for release in deployed for change in drift.find(found.cluster, release)]
