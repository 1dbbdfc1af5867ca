"""Security contexts, probes, resources and volumes of pods, after the `restricted` Pod Security Standard."""

from collections.abc import Mapping
from typing import Final

from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from infra.config.phase_spec import Compute
from infra.config.quantity import quantity

# Rules of kube-score and checkov that do not fit, each with its reason where the checker reads it.
PULL_EXCEPTIONS: Final = {
    "kube-score/ignore": "container-image-pull-policy",
    "checkov.io/skip1": "CKV_K8S_15=the reference names one image for ever, so a start must not depend on the registry",
    "checkov.io/skip2": "CKV_K8S_43=a tag is a version's own or a local build's; a pipeline gives the API's by digest",
}
JOB_ANNOTATIONS: Final = {**PULL_EXCEPTIONS, "pulumi.com/replaceUnready": "true"}
"""Of every Job: one that has failed is made anew by the next update instead of failing it again."""
JOB_SECONDS: Final = 600
"""Most that a Job may take, its tries and the pull of its image on a slow line included."""
OPERATORS_PODS: Final = {"kube-score/ignore": "networkpolicy-targets-pod"}
"""For a policy about pods that an operator or the chart makes: the checker does not see them beside it."""


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


def secret_files(name: str, files: Mapping[str, tuple[str, str]]) -> core.VolumeArgs:
    """Return a volume of single keys of several Secrets.

    Args:
        name: of the volume.
        files: Secret and key by path.
    """
    sources = [
        core.VolumeProjectionArgs(
            secret=core.SecretProjectionArgs(name=secret, items=[core.KeyToPathArgs(key=key, path=path)])
        )
        for path, (secret, key) in files.items()
    ]
    return core.VolumeArgs(name=name, projected=core.ProjectedVolumeSourceArgs(sources=sources, default_mode=0o440))


def spread(labels: Mapping[str, str]) -> list[core.TopologySpreadConstraintArgs]:
    """Over nodes and zones, as evenly as they have room: on a single node all of these pods still come up."""
    return [
        core.TopologySpreadConstraintArgs(
            max_skew=1,
            topology_key=key,
            when_unsatisfiable="ScheduleAnyway",
            label_selector=meta.LabelSelectorArgs(match_labels=dict(labels)),
        )
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]


def http_probe(path: str, *, period: int, failures: int) -> core.ProbeArgs:
    """Asks the container's port `http`, each `period` seconds."""
    return core.ProbeArgs(
        http_get=core.HTTPGetActionArgs(path=path, port="http"),
        period_seconds=period,
        timeout_seconds=3,
        failure_threshold=failures,
    )


def resources(compute: Compute) -> core.ResourceRequirementsArgs:
    """A container's share, as the phase table writes it."""
    written = compute.resources()
    # Nothing writes to the node's own disk but logs.
    return core.ResourceRequirementsArgs(
        requests={**written["requests"], "ephemeral-storage": "16Mi"},
        limits={**written["limits"], "ephemeral-storage": "64Mi"},
    )


def claim_spec(gibibytes: int, storage_class: str | None) -> core.PersistentVolumeClaimSpecArgs:
    """What a volume of one pod's own is like.

    Args:
        gibibytes: its size.
        storage_class: None for the cluster's default.
    """
    return core.PersistentVolumeClaimSpecArgs(
        access_modes=["ReadWriteOnce"],
        storage_class_name=storage_class,
        resources=core.VolumeResourceRequirementsArgs(requests={"storage": quantity(gibibytes, "Gi")}),
    )


DATA: Final = "data"
"""The volume of each pod of a StatefulSet."""


def data_claim(gibibytes: int, storage_class: str | None) -> core.PersistentVolumeClaimArgs:
    """Its template, for pods beyond those whose claims `components/claims.py` makes. Arguments as above."""
    return core.PersistentVolumeClaimArgs(
        metadata=meta.ObjectMetaArgs(name=DATA), spec=claim_spec(gibibytes, storage_class)
    )
