"""Renews a certificate of `ensure-certificate` in time, however long there is no release."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_kubernetes.batch import v1 as batch
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from infra import names
from infra.components import pods
from infra.components.base import Component, Target
from infra.components.secret_access import TOKEN_EXCEPTION, container, pod, secret_access
from infra.components.secrets import GeneratedSecret
from infra.config.image import Image

_DAILY: Final = "17 3 * * *"
_LATE: Final = 6 * 3600
"""Seconds by which a run may be late, after which it waits for the next day."""


class CertificateRenewal(Component):
    """A CronJob that looks each day, and makes another certificate a month before the end of the one that is there.

    It may read and change that one Secret. The Job of `Secrets`, which runs with a release, makes one that is missing.

    Args:
        called: name of its objects.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        image: Image,
        generated: GeneratedSecret,
        after: Sequence[pulumi.Resource],
        called: str = names.CERTIFICATE_RENEWAL,
    ) -> None:
        super().__init__(name, target, after)
        access = secret_access(self, called, [generated.name], may_create=False)
        annotations = {**pods.PULL_EXCEPTIONS, **TOKEN_EXCEPTION}
        batch.CronJob(
            f"{name}-job",
            metadata=self.metadata(called, annotations=annotations),
            spec=batch.CronJobSpecArgs(
                schedule=_DAILY,
                concurrency_policy="Forbid",
                starting_deadline_seconds=_LATE,
                successful_jobs_history_limit=1,
                failed_jobs_history_limit=3,
                job_template=batch.JobTemplateSpecArgs(
                    spec=batch.JobSpecArgs(
                        backoff_limit=4,
                        active_deadline_seconds=pods.JOB_SECONDS,
                        template=core.PodTemplateSpecArgs(
                            metadata=meta.ObjectMetaArgs(labels=target.labels(name)),
                            spec=pod(
                                target,
                                called,
                                [container(generated.name, image, generated.command, target.namespace)],
                            ),
                        ),
                    )
                ),
            ),
            opts=self.options(*access),
        )
        self.register_outputs({"secret": generated.name})
