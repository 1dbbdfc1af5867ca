"""Secrets, made inside the cluster so that no value ever passes through this program or its state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes.batch import v1 as batch
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from infra import names
from infra.components import pods
from infra.components.base import Component, Target
from infra.components.secret_access import TOKEN_EXCEPTION, container, pod, secret_access
from infra.config.image import Image

SECONDS = 300
"""Most that its Job may take. It is the first to pull the image: an update soon tells of one that does not exist."""


@dataclass(frozen=True)
class GeneratedSecret:
    """A Secret, and the image's subcommand that creates what is missing of it and keeps what exists.

    Args:
        name: of the Secret.
        command: the subcommand.
        keys: whose values are secret; none of a certificate.
        literals: values by key that are not.
    """

    name: str
    command: tuple[str, ...]
    keys: tuple[str, ...] = ()
    literals: Mapping[str, str] = field(default_factory=dict)


def random_keys(name: str, *keys: str, literals: Mapping[str, str] | None = None) -> GeneratedSecret:
    """A Secret with a random value under each key, and literal values under others."""
    options = [word for key in keys for word in ("--key", key)]
    options += [word for key, value in (literals or {}).items() for word in ("--value", f"{key}={value}")]
    return GeneratedSecret(name, ("ensure-secret", "--name", name, *options), keys, literals or {})


def certificate(name: str, hosts: Sequence[str], *, authority: bool = False) -> GeneratedSecret:
    """A Secret with a private key and a certificate for these hosts, signed by itself or by an authority beside it."""
    options = [word for host in hosts for word in ("--host", host)]
    options += ["--authority"] if authority else []
    return GeneratedSecret(name, ("ensure-certificate", "--name", name, *options))


class Secrets(Component):
    """A Job that makes the Secrets, one container each, with rights to these Secrets and no others.

    It runs again with each new image, so a release that needs another key gets it. What is there is never changed.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        image: Image,
        generated: Sequence[GeneratedSecret],
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        access = secret_access(self, names.SECRET_MAKER, [secret.name for secret in generated], may_create=True)
        batch.Job(
            f"{name}-job",
            metadata=self.metadata(names.SECRET_MAKER, annotations={**pods.JOB_ANNOTATIONS, **TOKEN_EXCEPTION}),
            spec=batch.JobSpecArgs(
                backoff_limit=4,
                active_deadline_seconds=SECONDS,
                template=core.PodTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(labels=target.labels(name)),
                    spec=pod(
                        target,
                        names.SECRET_MAKER,
                        [container(secret.name, image, secret.command, target.namespace) for secret in generated],
                    ),
                ),
            ),
            # A Job's pod never changes: a new image means a new Job under the same name.
            opts=self.options(*access, minutes=SECONDS // 60 + 1, delete_before_replace=True),
        )
        self.register_outputs({"secrets": [secret.name for secret in generated]})
