"""Renews a certificate of `ensure-certificate` in time, however long there is no release."""

from collections.abc import Sequence
from typing import Final

import pulumi

from infra import names
from infra.components.base import Component, Target
from infra.components.secret_access import container, cron_job, secret_access
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
        once = container(generated.name, image, generated.command, target.namespace)
        cron_job(self, called, once, access, schedule=_DAILY, late=_LATE)
        self.register_outputs({"secret": generated.name})
