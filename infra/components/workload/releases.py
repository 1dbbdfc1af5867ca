"""Releases of a stack: one of all services, or one each, and what takes it from the former to the latter."""

from collections.abc import Callable, Sequence
from typing import Any

import pulumi

from infra import names
from infra.components.base import Target
from infra.components.data.service_move import copy
from infra.components.workload.release import Workload
from infra.config.growth import Growth
from infra.config.image import Image
from infra.config.settings import Settings

Values = Callable[[Settings, str], pulumi.Input[dict[str, Any]]]
"""Gives the chart's values for the release of a service."""


def releases(
    settings: Settings, target: Target, *, image: Image, values: Values, after: Sequence[pulumi.Resource]
) -> list[Workload]:
    """Register the releases, and return them.

    Args:
        settings: the stack's.
        target: where they go.
        image: of the API.
        values: of a release.
        after: what they stand on.
    """

    def release(chosen: Settings, service: str, *others: pulumi.Resource) -> Workload:
        return Workload(
            f"api{names.ServiceNames(service).suffix}",
            target,
            service=service,
            values=values(chosen, service),
            timeout=chosen.rollout_timeout,
            after=[*after, *others],
        )

    services = settings.row.services
    if settings.growth not in (Growth.MOVE, Growth.ROUTE, Growth.RETIRE):
        return [release(settings, service) for service in services]
    if settings.growth is not Growth.MOVE:
        # One at a time: the former release is there too, and nodes have no room for new pods of all.
        own: list[Workload] = []
        for service in services:
            own.append(release(settings, service, *own))
        # Its route goes once theirs are there.
        return [*own, release(settings.former, names.ALL, *own)] if settings.former_release else own
    # It publishes its events where the services read them, before the first one leaves it.
    former = release(settings.former, names.ALL)
    copied = {service: copy(settings, target, service, image, [*after, former]) for service in services}
    moved = [former]
    # One at a time, so that only its own writes wait. Those that have not moved look sessions up in auth's tables.
    for service in sorted(services, key=lambda name: name == names.SESSIONS):
        moved.append(release(settings, service, copied[service], *moved))
    return moved
