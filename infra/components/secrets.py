"""Secrets, made inside the cluster so that no value ever passes through this program or its state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.batch import v1 as batch
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.rbac import v1 as rbac

from infra import names, network, pods
from infra.components.base import Component, Target
from infra.image import Image
from infra.rows import Compute

_USER = 10001  # the image's own user
_COMPUTE = Compute(cpu_request=25, cpu_limit=500, memory=128)


@dataclass(frozen=True)
class Wanted:
    """A Secret to be there, and the image's subcommand that makes what is missing of it and keeps what is there."""

    name: str
    command: tuple[str, ...]


def random_keys(name: str, *keys: str, beside: Mapping[str, str] | None = None) -> Wanted:
    """A Secret with a random value under each key, and beside them what is no secret but has to be found there."""
    options = [word for key in keys for word in ("--key", key)]
    options += [word for key, value in (beside or {}).items() for word in ("--value", f"{key}={value}")]
    return Wanted(name, ("ensure-secret", "--name", name, *options))


def certificate(name: str, hosts: Sequence[str]) -> Wanted:
    """A Secret with a private key and a certificate, signed by itself, for these hosts."""
    options = [word for host in hosts for word in ("--host", host)]
    return Wanted(name, ("ensure-certificate", "--name", name, *options))


class Secrets(Component):
    """A Job that makes the Secrets, one container each, with rights to these Secrets and no others.

    It runs again with each new image, so a release that needs another key gets it. What is there is never changed.
    """

    def __init__(
        self, name: str, target: Target, *, image: Image, wanted: Sequence[Wanted], after: Sequence[pulumi.Resource]
    ) -> None:
        super().__init__(name, target, after)
        account = core.ServiceAccount(
            f"{name}-account",
            metadata=self.metadata(names.SECRET_MAKER),
            automount_service_account_token=False,
            opts=self.options(),
        )
        role = rbac.Role(
            f"{name}-role",
            metadata=self.metadata(names.SECRET_MAKER),
            rules=[
                # `create` cannot be limited to names: the name is not known when the API server decides. It is limited
                # to what is not there yet, and reading stays limited to the names below.
                rbac.PolicyRuleArgs(api_groups=[""], resources=["secrets"], verbs=["create"]),
                rbac.PolicyRuleArgs(
                    api_groups=[""],
                    resources=["secrets"],
                    resource_names=[secret.name for secret in wanted],
                    verbs=["get", "patch"],
                ),
            ],
            opts=self.options(),
        )
        binding = rbac.RoleBinding(
            f"{name}-binding",
            metadata=self.metadata(names.SECRET_MAKER),
            role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=names.SECRET_MAKER),
            subjects=[
                rbac.SubjectArgs(kind="ServiceAccount", name=names.SECRET_MAKER, namespace=target.namespace),
            ],
            opts=self.options(account, role),
        )
        policy = networking.NetworkPolicy(
            f"{name}-flows",
            metadata=self.metadata(names.SECRET_MAKER),
            spec=network.spec(target.labels(name), outward=(network.API_SERVER,)),
            opts=self.options(),
        )
        batch.Job(
            f"{name}-job",
            metadata=self.metadata(
                names.SECRET_MAKER,
                annotations={
                    **pods.PULL_EXCEPTIONS,
                    "checkov.io/skip3": "CKV_K8S_38=this is the one pod that talks to the API server",
                },
            ),
            spec=batch.JobSpecArgs(
                backoff_limit=4,
                # It takes seconds. What does not start by then, such as an image that is not there, should say so soon.
                active_deadline_seconds=120,
                template=core.PodTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(labels=target.labels(name)),
                    spec=core.PodSpecArgs(
                        service_account_name=names.SECRET_MAKER,
                        automount_service_account_token=True,
                        restart_policy="OnFailure",
                        security_context=pods.pod_security(_USER),
                        containers=[
                            core.ContainerArgs(
                                name=secret.name,
                                image=str(image),
                                image_pull_policy="IfNotPresent",
                                command=["python", "-m", "app"],
                                args=[*secret.command, "--namespace", target.namespace],
                                resources=pods.resources(_COMPUTE),
                                security_context=pods.container_security(),
                            )
                            for secret in wanted
                        ],
                    ),
                ),
            ),
            # A Job's pod never changes: a new image means a new Job under the same name.
            opts=self.options(binding, policy, minutes=5, delete_before_replace=True),
        )
        self.register_outputs({"secrets": [secret.name for secret in wanted]})
