"""The provider's configuration: its cluster, whether that is the stack's own, and whether it is reachable."""

import uuid

from local.plugins.kubernetes_provider.changes import Change, Kind
from local.plugins.kubernetes_provider.client import Client
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.diff import Difference
from local.plugins.kubernetes_provider.discovery import Discovery
from local.plugins.kubernetes_provider.errors import ProviderError, UnreachableError
from local.plugins.kubernetes_provider.lifecycle import Lifecycle, ObjectLifecycle
from local.plugins.kubernetes_provider.objects import dig
from local.plugins.kubernetes_provider.settings import parse
from local.plugins.kubernetes_provider.tokens import RELEASE
from local.plugins.kubernetes_provider.values import Tree, has_unknown, plain
from local.plugins.plugin_kit.engine import Engine


class Configuration:
    """State of `Configure`: the cluster, or why it is unreachable."""

    def __init__(self, engine: Engine) -> None:
        """Args: engine: where warnings go."""
        self._engine = engine
        self._cluster: Cluster | None = None
        self._unreachable: UnreachableError | None = None

    def configure(self, inputs: Tree) -> None:
        """Connect.

        Raises:
            ProviderError: no kubeconfig, a setting that is not understood, a cluster that does not answer or does not
                accept us, or is another one than `clusterIdentifier` names.
        """
        settings = parse(inputs)
        client = Client(settings.connection())
        self._cluster = Cluster(client, Discovery(client), settings, self._engine)
        try:
            client.get("/version")
        except UnreachableError as error:
            if not (settings.delete_unreachable or settings.skip_update_unreachable):
                raise
            self._unreachable = error
        else:
            _check_cluster(settings.cluster_identifier, client)

    @property
    def cluster(self) -> Cluster:
        """The cluster."""
        if self._cluster is None:
            raise ProviderError("the provider has not been configured")
        return self._cluster

    def lifecycle(self, token: str) -> Lifecycle:
        """Give what handles resources of a type.

        Raises:
            UnreachableError: the cluster did not answer at the start.
        """
        if self._unreachable is not None:
            raise self._unreachable
        if token == RELEASE:
            from local.plugins.kubernetes_provider.release.lifecycle import ReleaseLifecycle

            return ReleaseLifecycle(self.cluster)
        return ObjectLifecycle(self.cluster)

    def is_skipped(self, urn: str) -> bool:
        """Tell whether a resource is left as it is because the cluster is away and the settings say so."""
        if self._unreachable is None or not self.cluster.settings.skip_update_unreachable:
            return False
        self._engine.warning(urn, f"left as it is (skipUpdateUnreachable): {self._unreachable}")
        return True

    def is_dropped(self, urn: str) -> bool:
        """Tell whether a resource is taken for deleted because its cluster is away and the settings say so."""
        if self._unreachable is None or not self.cluster.settings.delete_unreachable:
            return False
        self._engine.warning(
            urn, f"dropped from the state without being deleted (deleteUnreachable): {self._unreachable}"
        )
        return True

    def cancel(self) -> None:
        """End whatever waits."""
        if self._cluster is not None:
            self._cluster.client.cancelled.set()


def compare(old: Tree, new: Tree) -> Difference:
    """Compare two configurations: another cluster means that everything is replaced.

    The rules are those of the official provider (`DiffConfig` of pulumi-kubernetes 4.34): an identifier that stays
    replaces nothing; else it compares the clusters' entries, the authority's certificate included.

    Raises:
        ProviderError: both name their cluster by its uid, and the uids differ. The official provider would replace all.
            Or one of them names a kubeconfig that is not there.
    """
    if has_unknown(new):
        return Difference((Change(("kubeconfig",), Kind.UPDATE),))
    before, after = plain(old), plain(new)
    changes = tuple(
        Change((key,), Kind.UPDATE) for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)
    )
    if not changes:
        return Difference()
    old_settings, new_settings = parse(before), parse(after)
    known, found = old_settings.cluster_identifier, new_settings.cluster_identifier
    if known and found and known != found and _is_uid(known) and _is_uid(found):
        raise _another_cluster(known, found, "the kubeconfig")
    old_cluster, new_cluster = old_settings.active_cluster(), new_settings.active_cluster()
    if known and known == found:
        return Difference(changes)
    replacing = {"clusterIdentifier"} if known and found else set()
    if old_cluster is not None and new_cluster is not None and old_cluster != new_cluster:
        replacing |= {"kubeconfig", "context", "cluster"}
    return Difference(changes, replaces=tuple(change for change in changes if change.path[0] in replacing))


def _check_cluster(identifier: str | None, client: Client) -> None:
    """Refuse another cluster than the one that the state knows: its objects would all seem to have gone.

    Only an identifier that is a uid can be checked: that of the namespace `kube-system`, which lives as long as its
    cluster. The official provider takes any text, and never looks.
    """
    if not identifier or not _is_uid(identifier):
        return
    found = str(dig(client.get("/api/v1/namespaces/kube-system"), "metadata", "uid"))
    if found != identifier:
        raise _another_cluster(
            identifier, found, f"context {client.connection.context!r} of {client.connection.source}"
        )


def _is_uid(identifier: str) -> bool:
    try:
        uuid.UUID(identifier)
    except ValueError:
        return False
    return True


def _another_cluster(known: str, found: str, source: str) -> ProviderError:
    return ProviderError(
        f"this stack is in the cluster {known}, and {source} leads to {found} (uids of kube-system): set KUBECONFIG or "
        "the context to the stack's own; if that is gone for good, `pulumi stack rm --force --preserve-config` forgets "
        "it; nothing has been changed"
    )
