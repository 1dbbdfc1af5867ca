"""A release that an interrupted update has left half done is brought to a state that helm can go on from."""

from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.release import record as records
from local.plugins.kubernetes_provider.release import tool
from local.plugins.kubernetes_provider.release.inputs import ReleaseInputs


def make_way(cluster: Cluster, urn: str, wanted: ReleaseInputs) -> None:
    """Before an installation: clear away what an interrupted one has left.

    Raises:
        ProviderError: there is a release of that name which works and is not in this stack.
    """
    found = records.latest(cluster.client, wanted.namespace, wanted.name)
    if found is None:
        return
    if found.status == records.PENDING_INSTALL or found.status == "uninstalling":
        _uninstall(cluster, urn, wanted, found)
    elif found.status in records.PENDING:
        recover(cluster, urn, wanted)
    elif found.status == records.DEPLOYED and not _may_adopt(cluster, wanted):
        raise ProviderError(
            f"Helm release {wanted.identity} exists already and is not in this stack: take it over with "
            "`pulumi import`, uninstall it (helm uninstall), or give the new one another name"
        )


def _may_adopt(cluster: Cluster, wanted: ReleaseInputs) -> bool:
    return cluster.settings.upsert_existing_objects or bool(wanted.options.get("replace"))


def recover(cluster: Cluster, urn: str, wanted: ReleaseInputs) -> None:
    """Before an upgrade: end what an interrupted one has left pending, which helm would refuse to touch."""
    found = records.records(cluster.client, wanted.namespace, wanted.name)
    if not found or found[-1].status not in records.PENDING:
        return
    good = records.last_good(found)
    if good is None:
        _uninstall(cluster, urn, wanted, found[-1])
        return
    cluster.engine.warning(
        urn,
        f"Helm release {wanted.identity} was left {found[-1].status} by an interrupted update: "
        f"rolling back to revision {good.revision} first",
    )
    _helm(cluster, ["rollback", wanted.name, str(good.revision), "--namespace", wanted.namespace])


def _uninstall(cluster: Cluster, urn: str, wanted: ReleaseInputs, found: records.Record) -> None:
    cluster.engine.warning(
        urn, f"Helm release {wanted.identity} was left {found.status} by an interrupted update: removing it first"
    )
    _helm(
        cluster,
        ["uninstall", wanted.name, "--namespace", wanted.namespace, "--wait", "--timeout", f"{wanted.timeout}s"],
    )


def _helm(cluster: Cluster, arguments: list[str]) -> None:
    with tool.environment(cluster.client.connection) as env:
        try:
            tool.run(arguments, env, cancelled=cluster.client.cancelled.is_set)
        except tool.HelmError as error:
            raise ProviderError(f"helm {arguments[0]} {arguments[1]} failed: {error}") from error
