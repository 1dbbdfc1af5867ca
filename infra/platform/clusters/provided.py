"""A cluster that is there already, by a context of the kubeconfig."""

from typing import Final

import pulumi

from infra import cluster_api
from infra.cluster import connect
from infra.cluster_api import OLDEST_KUBERNETES, ClusterApiError
from infra.config.project import PLATFORM
from infra.platform.clusters.base import ConnectedCluster
from infra.platform.settings import PlatformSettings

_KEY: Final = f"{PLATFORM.name}:context"


def check(context: str) -> None:
    """Ask the cluster for its version.

    Args:
        context: of the kubeconfig; empty for its current one.

    Raises:
        pulumi.RunError: one line: there is no such context, nothing answers, or the cluster is too old.
    """
    try:
        cluster = cluster_api.connect(context or None)
        version = cluster.version() if cluster else None
    except ClusterApiError as error:
        raise pulumi.RunError(f"{_KEY}: {error}") from error
    if cluster is None or version is None:
        raise pulumi.RunError(f"{_KEY}: there is no kubeconfig: set KUBECONFIG")
    if version < OLDEST_KUBERNETES:
        raise pulumi.RunError(
            f"{_KEY}: {cluster.server} runs Kubernetes {version}, which is too old: upgrade it to"
            f" {OLDEST_KUBERNETES} or later"
        )


def connect_provided(settings: PlatformSettings) -> ConnectedCluster:
    """Connect to the cluster, once it has answered."""
    check(settings.context)
    cluster = connect(settings.context or None)
    environment = {"context": settings.context} if settings.context else {}
    return ConnectedCluster(
        provider=cluster.provider,
        kubeconfig=None,
        cloud=settings.cluster,
        environment=environment,
        outputs={"cluster": cluster.uid},
    )
