"""A cluster that is there already, by a context of the kubeconfig."""

import re

import kubernetes.client
import kubernetes.config
import pulumi
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from infra.cluster import connect
from infra.config.project import PLATFORM
from infra.platform.clusters.base import ConnectedCluster
from infra.platform.settings import OLDEST, PlatformSettings

TIMEOUT = 10.0


def check(context: str) -> None:
    """Ask the cluster for its version.

    Args:
        context: of the kubeconfig; empty for its current one.

    Raises:
        pulumi.RunError: one line: there is no such context, nothing answers, or the cluster is too old.
    """
    key = f"{PLATFORM.name}:context"
    named = context or "the current one"
    try:
        client = kubernetes.config.new_client_from_config(context=context or None)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise pulumi.RunError(f"{key}: the kubeconfig has no usable {named}: {reason}: set KUBECONFIG") from error
    server = client.configuration.host
    try:
        client.configuration.retries = False
        version = kubernetes.client.VersionApi(client).get_code(_request_timeout=TIMEOUT)
    except (ApiException, HTTPError, OSError) as error:
        why = str(getattr(error, "reason", None) or error).splitlines()[0]
        raise pulumi.RunError(f"{key}: {named} leads to {server}, which does not answer: {why}") from error
    found = (int(version.major), int(re.sub(r"\D.*", "", version.minor)))
    if found < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise pulumi.RunError(
            f"{key}: {named} leads to Kubernetes {found[0]}.{found[1]}, which is too old: upgrade it to {needed} or"
            " later"
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
