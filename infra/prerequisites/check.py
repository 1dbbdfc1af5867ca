"""Check of a cluster before a preview or an update makes anything."""

import pulumi

from infra.cluster_api import UnreachableError, connect
from infra.config.settings import Settings
from infra.prerequisites.requirements import requirements


def check_prerequisites(settings: Settings) -> None:
    """Refuse a cluster that lacks what the stack stands on; without a kubeconfig there is nothing to look at.

    Raises:
        pulumi.RunError: the cluster cannot be reached, or the last thing that is missing; each one before it has been
            reported as an error of its own.
    """
    if not settings.check_prerequisites:
        return
    try:
        cluster = connect(settings.context or None)
        found = [each.problem(cluster) for each in requirements(settings)] if cluster else []
    except UnreachableError as error:
        raise pulumi.RunError(f"cluster: {error}") from error
    missing = [line for line in found if line]
    for line in missing[:-1]:
        pulumi.log.error(line)
    if missing:
        raise pulumi.RunError(missing[-1])
