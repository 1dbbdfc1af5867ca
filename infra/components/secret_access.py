"""The account by which a pod of the API's image reads and changes objects that are named, and no others."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_kubernetes.batch import v1 as batch
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.rbac import v1 as rbac

from infra.components import network, pods
from infra.components.base import Component, Target
from infra.config.image import Image
from infra.config.phase_spec import Compute

USER: Final = 10001  # the image's own user
# There are up to twenty of these in a pod, which is to find room on a node that is nearly full.
_COMPUTE: Final = Compute(cpu_request=5, cpu_limit=500, memory=128)

TOKEN_EXCEPTION: Final = {"checkov.io/skip3": "CKV_K8S_38=this pod talks to the API server"}
"""Why a token is mounted, for the checker."""


def secret_access(
    component: Component, name: str, secrets: Sequence[str], *, may_create: bool
) -> tuple[pulumi.Resource, pulumi.Resource]:
    """Make the account for Secrets; see `api_access`.

    Args:
        component: whose pods have the account.
        name: of the ServiceAccount, the Role, the RoleBinding and the policy.
        secrets: names of the Secrets.
        may_create: whether Secrets may be made. That cannot be limited to names, since the name is not known when the
            API server decides; it is limited to what is not there yet, and reading stays limited to the names.
    """
    rules = [rbac.PolicyRuleArgs(api_groups=[""], resources=["secrets"], verbs=["create"])] if may_create else []
    return api_access(component, name, [*rules, allow("", "secrets", secrets, "get", "patch")])


def allow(group: str, resource: str, names: Sequence[str], *verbs: str) -> rbac.PolicyRuleArgs:
    """Return the right to do something with objects of these names."""
    return rbac.PolicyRuleArgs(api_groups=[group], resources=[resource], resource_names=list(names), verbs=list(verbs))


def api_access(
    component: Component, name: str, rules: Sequence[rbac.PolicyRuleArgs]
) -> tuple[pulumi.Resource, pulumi.Resource]:
    """Make an account with rights, and let its pods call the API server and nobody else.

    Args:
        component: whose pods have the account.
        name: of the ServiceAccount, the Role, the RoleBinding and the policy.
        rules: the rights.

    Returns:
        What the pods have to wait for.
    """
    metadata, options = component.metadata(name), component.options
    account = core.ServiceAccount(
        f"{component.name}-account", metadata=metadata, automount_service_account_token=False, opts=options()
    )
    role = rbac.Role(f"{component.name}-role", metadata=metadata, rules=list(rules), opts=options())
    binding = rbac.RoleBinding(
        f"{component.name}-binding",
        metadata=metadata,
        role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=name),
        subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=name, namespace=component.target.namespace)],
        opts=options(account, role),
    )
    policy = networking.NetworkPolicy(
        f"{component.name}-flows",
        metadata=metadata,
        spec=network.spec(component.target.labels(component.name), egress=(component.target.api_server,)),
        opts=options(),
    )
    return binding, policy


def pod(target: Target, account: str, containers: Sequence[core.ContainerArgs]) -> core.PodSpecArgs:
    """A pod with the account's token, whose containers run once."""
    return core.PodSpecArgs(
        service_account_name=account,
        automount_service_account_token=True,
        image_pull_secrets=target.pull_secrets,
        restart_policy="OnFailure",
        security_context=pods.pod_security(USER),
        containers=list(containers),
    )


def cron_job(
    component: Component,
    called: str,
    once: core.ContainerArgs,
    access: Sequence[pulumi.Resource],
    *,
    schedule: str,
    late: int,
) -> None:
    """Make a CronJob whose pods run a container with the account's token, one at a time.

    Args:
        component: whose Job it is.
        called: its name, and the account's.
        once: the container.
        access: what its pods have to wait for.
        schedule: as cron writes it.
        late: seconds by which a run may be late, after which it waits for the next one.
    """
    target = component.target
    template = core.PodTemplateSpecArgs(
        metadata=meta.ObjectMetaArgs(labels=target.labels(component.name)), spec=pod(target, called, [once])
    )
    batch.CronJob(
        f"{component.name}-job",
        metadata=component.metadata(called, annotations={**pods.PULL_EXCEPTIONS, **TOKEN_EXCEPTION}),
        spec=batch.CronJobSpecArgs(
            schedule=schedule,
            concurrency_policy="Forbid",
            starting_deadline_seconds=late,
            successful_jobs_history_limit=1,
            failed_jobs_history_limit=3,
            job_template=batch.JobTemplateSpecArgs(
                spec=batch.JobSpecArgs(backoff_limit=4, active_deadline_seconds=pods.JOB_SECONDS, template=template)
            ),
        ),
        opts=component.options(*access),
    )


def container(name: str, image: Image, command: Sequence[str], namespace: str) -> core.ContainerArgs:
    """A container that runs one of the image's commands about a Secret of a namespace."""
    return core.ContainerArgs(
        name=name,
        image=str(image),
        image_pull_policy="IfNotPresent",
        command=["python", "-m", "app"],
        args=[*command, "--namespace", namespace],
        resources=pods.resources(_COMPUTE),
        security_context=pods.container_security(),
    )
