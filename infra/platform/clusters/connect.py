"""The cluster of a stack, of the kind that its settings name."""

from infra.platform import sizes
from infra.platform.clusters.base import ConnectedCluster
from infra.platform.settings import ClusterKind, PlatformSettings


def connect_cluster(settings: PlatformSettings, name: str) -> ConnectedCluster:
    """Make the cluster, or connect to the one that is there.

    Each provider's SDK is imported with its own kind alone: that of AWS takes seconds.

    Args:
        name: of a cluster that is made.
    """
    row = settings.row()
    if settings.cluster is ClusterKind.VPS and isinstance(row, sizes.Server):
        from infra.platform.clusters.vps import connect_vps

        return connect_vps(settings, row, name)
    if settings.cluster is ClusterKind.DIGITALOCEAN and isinstance(row, sizes.Doks):
        from infra.platform.clusters.digitalocean import connect_digitalocean

        return connect_digitalocean(settings, row, name)
    if settings.cluster is ClusterKind.AWS and isinstance(row, sizes.Eks):
        from infra.platform.clusters.aws.cluster import connect_aws

        return connect_aws(settings, row, name)
    from infra.platform.clusters.provided import connect_provided

    return connect_provided(settings)
