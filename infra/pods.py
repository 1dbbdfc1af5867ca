"""What every pod of the program has in common: the `restricted` Pod Security Standard, which the namespace enforces."""

from pulumi_kubernetes.core import v1 as core

from infra.phases import Compute


def pod_security(user: int) -> core.PodSecurityContextArgs:
    """For a pod whose containers run as this user and group, and whose volumes belong to it."""
    return core.PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=user,
        run_as_group=user,
        fs_group=user,
        # A volume of many files would be walked at every start otherwise.
        fs_group_change_policy="OnRootMismatch",
        seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security() -> core.SecurityContextArgs:
    """For a container that needs no privilege and writes to its volumes alone."""
    return core.SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=core.CapabilitiesArgs(drop=["ALL"]),
    )


def resources(compute: Compute) -> core.ResourceRequirementsArgs:
    """A container's share, as the phase table writes it."""
    written = compute.resources()
    return core.ResourceRequirementsArgs(requests=written["requests"], limits=written["limits"])
