"""Commands of the API's image: a Job, once for each image and each set of arguments, or a CronJob."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi_kubernetes.batch import v1 as batch
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from infra.components import network, pods
from infra.components.base import Component, Target
from infra.components.network import Flow
from infra.components.secret_access import USER
from infra.config import phase_spec
from infra.config.image import Image

SECRETS: Final = "/run/secrets/job"
_FURTHER: Final = "/run/secrets/further"

_COMPUTE: Final = phase_spec.Compute(cpu_request=25, cpu_limit=500, memory=128)


@dataclass(frozen=True)
class Command:
    """What is run.

    Args:
        name: of the Job and the policy.
        words: the command's own name and its arguments.
        secret: Secret whose keys are files under SECRETS; None for none.
        egress: who is called.
        optional: whether the Secret may be missing.
        keys: those of its keys that are files; all of them, if none is named.
        further: the one key of each further Secret that is a file in a folder of its own, see `folder_of`.
        environment: variables.
        secret_environment: variables of Secrets: Secret and key by name.
        labels: of the pods; by default those of the component.
        minutes: most that it may take, its tries included.
    """

    name: str
    words: Sequence[str]
    secret: str | None
    egress: tuple[Flow, ...]
    optional: bool = False
    keys: tuple[str, ...] = ()
    further: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    secret_environment: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    minutes: int = pods.JOB_SECONDS // 60


def folder_of(secret: str) -> str:
    """Return the folder of a further Secret."""
    return f"{_FURTHER}/{secret}"


class ImageJob(Component):
    """The Job and who it may call."""

    def __init__(
        self, name: str, target: Target, *, command: Command, image: Image, after: Sequence[pulumi.Resource]
    ) -> None:
        super().__init__(name, target, after)
        job = batch.Job(
            f"{name}-job",
            metadata=self.metadata(command.name, annotations=pods.JOB_ANNOTATIONS),
            spec=_job(self, command, image),
            # A Job's pod never changes: another image or other arguments mean a new Job under the same name.
            # Waited for until it has failed by itself and says why.
            opts=self.options(_flows(self, command), minutes=command.minutes + 1, delete_before_replace=True),
        )
        self.ready: pulumi.Output[str] = job.id
        """Known once it is complete."""


class ImageCronJob(Component):
    """The CronJob and who it may call. A run that is late or fails leaves the work to the next one.

    Args:
        schedule: when it runs.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        command: Command,
        image: Image,
        schedule: str,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        batch.CronJob(
            f"{name}-job",
            metadata=self.metadata(command.name, annotations=pods.PULL_EXCEPTIONS),
            spec=batch.CronJobSpecArgs(
                schedule=schedule,
                concurrency_policy="Forbid",
                starting_deadline_seconds=pods.JOB_SECONDS,
                successful_jobs_history_limit=1,
                failed_jobs_history_limit=1,
                job_template=batch.JobTemplateSpecArgs(spec=_job(self, command, image)),
            ),
            opts=self.options(_flows(self, command)),
        )


def _flows(component: Component, command: Command) -> pulumi.Resource:
    return networking.NetworkPolicy(
        f"{component.name}-flows",
        metadata=component.metadata(command.name),
        spec=network.spec(_labels(component, command), egress=command.egress),
        opts=component.options(),
    )


def _labels(component: Component, command: Command) -> dict[str, str]:
    return {**component.target.labels(component.name), **command.labels}


def _job(component: Component, command: Command, image: Image) -> batch.JobSpecArgs:
    mounts, volumes = [], []
    if command.secret:
        mounts.append(core.VolumeMountArgs(name="secrets", mount_path=SECRETS, read_only=True))
        source = core.SecretVolumeSourceArgs(
            secret_name=command.secret,
            default_mode=0o440,
            optional=command.optional,
            items=[core.KeyToPathArgs(key=key, path=key) for key in command.keys] or None,
        )
        volumes.append(core.VolumeArgs(name="secrets", secret=source))
    if command.further:
        mounts.append(core.VolumeMountArgs(name="further", mount_path=_FURTHER, read_only=True))
        files = {f"{secret}/{key}": (secret, key) for secret, key in command.further.items()}
        volumes.append(pods.secret_files("further", files))
    return batch.JobSpecArgs(
        backoff_limit=4,
        active_deadline_seconds=command.minutes * 60,
        template=core.PodTemplateSpecArgs(
            metadata=meta.ObjectMetaArgs(labels=_labels(component, command)),
            spec=core.PodSpecArgs(
                automount_service_account_token=False,
                image_pull_secrets=component.target.pull_secrets,
                restart_policy="OnFailure",
                security_context=pods.pod_security(USER),
                containers=[
                    core.ContainerArgs(
                        name="command",
                        image=str(image),
                        image_pull_policy="IfNotPresent",
                        command=["python", "-m", "app", command.words[0]],
                        args=list(command.words[1:]),
                        env=_environment(command) or None,
                        resources=pods.resources(_COMPUTE),
                        security_context=pods.container_security(),
                        volume_mounts=mounts,
                    )
                ],
                volumes=volumes,
            ),
        ),
    )


def _environment(command: Command) -> list[core.EnvVarArgs]:
    plain = [core.EnvVarArgs(name=name, value=value) for name, value in command.environment.items()]
    return plain + [
        core.EnvVarArgs(
            name=name,
            value_from=core.EnvVarSourceArgs(secret_key_ref=core.SecretKeySelectorArgs(name=secret, key=key)),
        )
        for name, (secret, key) in command.secret_environment.items()
    ]
