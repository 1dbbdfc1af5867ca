"""Check of a cluster before a preview or an update makes anything."""

import pulumi

from infra.cluster_api import ClusterApi, ForbiddenError, UnreachableError, connect
from infra.config.settings import Settings
from infra.prerequisites.requirements import Requirement, requirements


def check_prerequisites(settings: Settings) -> None:
    """Refuse a cluster that lacks what the stack stands on; without a kubeconfig there is nothing to look at.

    A pipeline's user may have rights in the stack's namespaces alone: what it may not read is a warning.

    Raises:
        pulumi.RunError: the cluster cannot be reached, or the last thing that is missing; each one before it has been
            reported as an error of its own.
    """
    if not settings.check_prerequisites:
        return
    try:
        cluster = connect(settings.context or None)
        found = [_problem(each, cluster) for each in requirements(settings)] if cluster else []
    except UnreachableError as error:
        raise pulumi.RunError(f"cluster: {error}") from error
    missing = [line for line in found if line]
    for line in missing[:-1]:
        pulumi.log.error(line)
    if missing:
        raise pulumi.RunError(missing[-1])


def _problem(requirement: Requirement, cluster: ClusterApi) -> str | None:
    try:
        return requirement.problem(cluster)
    except ForbiddenError as error:
        pulumi.log.warn(f"{requirement.part}: not checked, no rights: {error}")
        return None
