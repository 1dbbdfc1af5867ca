"""Rolling updates of the releases after their Secrets have changed in the store."""

from collections.abc import Sequence
from typing import Final

import pulumi

from infra import names
from infra.components.base import Component, Target
from infra.components.secret_access import allow, api_access, container, cron_job
from infra.components.workload.chart import secrets_of
from infra.config.image import Image
from infra.config.settings import Settings

_EVERY_MINUTE: Final = "* * * * *"
_LATE: Final = 30
"""Seconds; a run that is later than that is left to the next minute."""


class SecretReload(Component):
    """A CronJob that looks each minute whether a Secret of a release has changed, and rolls its pods out anew.

    Environment variables keep the values that a pod was started with. It reads metadata alone of Secrets, and may
    change the Deployments of the releases.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        settings: Settings,
        image: Image,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        pairs = [
            (deployment, secret)
            for service in settings.releases
            for deployment in _deployments(settings, service)
            for secret in secrets_of(settings, service)
        ]
        deployments, secrets = (sorted({pair[place] for pair in pairs}) for place in (0, 1))
        access = api_access(
            self,
            names.SECRET_RELOAD,
            [allow("", "secrets", secrets, "get"), allow("apps", "deployments", deployments, "get", "patch")],
        )
        words = [word for deployment, secret in pairs for word in ("--deployment", f"{deployment}={secret}")]
        once = container(names.SECRET_RELOAD, image, ["restart-changed", *words], target.namespace)
        cron_job(self, names.SECRET_RELOAD, once, access, schedule=_EVERY_MINUTE, late=_LATE)
        self.register_outputs({"secrets": secrets})


def _deployments(settings: Settings, service: str) -> list[str]:
    """Names of a release's Deployments, as the chart has them."""
    release = names.ServiceNames(service).release
    jobs = settings.former if service == names.ALL and settings.row.split else settings
    return [release, *((f"{release}-worker", f"{release}-beat") if jobs.row.services[service].jobs else ())]
