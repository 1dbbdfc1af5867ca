"""Move of a service's tables out of the database that all services have shared (docs/adr/0055 and 0057).

Before its servers start: Jobs that prepare the former database and wait for the copy, and the Subscription between
them. The chart's Job then switches, beside servers that wait for the data.
"""

from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from infra import names
from infra.components.base import Component, Target
from infra.components.data.service_databases import API_VERSION
from infra.components.image_job import Command, ImageJob
from infra.components.network import Flow, Peer
from infra.config.image import Image
from infra.config.settings import Settings

COPY_MINUTES: Final = 240
"""Most that the first copy may take."""


def former_database(settings: Settings, own: names.ServiceNames) -> dict[str, str]:
    """Return variables by which a command finds both databases at their primaries: poolers know no slots."""
    return {
        "APP_DATABASE_HOST": settings.cluster_of(own.service).primary,
        "APP_FORMER_DATABASE_HOST": settings.former.generation.primary,
        "APP_FORMER_DATABASE_NAME": names.DATABASE_NAME,
        "APP_FORMER_DATABASE_USER": names.REPLICATION_ROLE,
    }


FORMER_PASSWORD: Final = ("APP_FORMER_DATABASE_PASSWORD", names.REPLICATION_SECRET, "password")
"""Variable, Secret and key."""


def subscription_spec(own: names.ServiceNames, cluster: str) -> dict[str, Any]:
    """Return the `Subscription`. The command has made its slot: on the same server it would wait for itself."""
    return {
        "cluster": {"name": cluster},
        "name": own.replication,
        "dbname": own.database,
        "publicationName": own.replication,
        "externalClusterName": names.FORMER_CLUSTER,
        "parameters": {"create_slot": "false", "slot_name": own.replication},
        "subscriptionReclaimPolicy": "delete",
    }


def _command(settings: Settings, own: names.ServiceNames, step: str, *words: str, minutes: int = 10) -> Command:
    variable, secret, key = FORMER_PASSWORD
    return Command(
        name=f"{own.move}-{step}",
        words=["split-database", step, "--service", own.service, *words],
        secret=None,
        egress=(Flow(Peer(names.DATABASE_LABELS), (names.DATABASE_PORT,)),),
        environment={
            **former_database(settings, own),
            "APP_DATABASE_PORT": str(names.DATABASE_PORT),
            "APP_DATABASE_NAME": own.database,
            "PGSSLMODE": "require",
        },
        secret_environment={
            "APP_SECRET_KEY": (own.keys_secret, names.KEYS_SECRET_KEY),
            "APP_DATABASE_USER": (own.database_secret, "username"),
            "APP_DATABASE_PASSWORD": (own.database_secret, "password"),
            variable: (secret, key),
        },
        # The databases let in pods of the service's release.
        labels=own.labels,
        minutes=minutes,
    )


class Subscription(Component):
    """The subscription by which a service's database follows the former one.

    Args:
        own: names of the service.
        cluster: that its database is in.
    """

    TYPE = "ServiceSubscription"

    def __init__(
        self, name: str, target: Target, *, own: names.ServiceNames, cluster: str, after: Sequence[pulumi.Resource]
    ) -> None:
        super().__init__(name, target, after)
        CustomResource(
            f"{name}-object",
            api_version=API_VERSION,
            kind="Subscription",
            metadata=self.metadata(own.move, annotations={"pulumi.com/waitFor": "jsonpath={.status.applied}=true"}),
            spec=subscription_spec(own, cluster),
            opts=self.options(minutes=5),
        )
        self.register_outputs({"subscription": own.replication})


def copy(
    settings: Settings, target: Target, service: str, image: Image, after: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    """Register a copy of a service's tables that follows the former ones; return what is there once it has caught up.

    Args:
        settings: the stack's.
        target: where the objects go.
        service: whose tables they are.
        image: of the API.
        after: what has to be there before.
    """
    own = names.ServiceNames(service)
    name = f"move{own.suffix}"
    prepare = ImageJob(f"{name}-prepare", target, command=_command(settings, own, "prepare"), image=image, after=after)
    subscription = Subscription(
        f"{name}-subscription",
        target,
        own=own,
        cluster=settings.cluster_of(service).cluster,
        after=[*after, prepare],
    )
    patience = ("--patience", str((COPY_MINUTES - 5) * 60))
    waiting = _command(settings, own, "wait", *patience, minutes=COPY_MINUTES)
    return ImageJob(f"{name}-wait", target, command=waiting, image=image, after=[*after, subscription])


def removal(settings: Settings, target: Target, image: Image, after: Sequence[pulumi.Resource]) -> list[ImageJob]:
    """Register the Jobs that drop the tables that services have left behind."""
    return [
        ImageJob(
            f"former-tables{own.suffix}", target, command=_command(settings, own, "remove"), image=image, after=after
        )
        for own in map(names.ServiceNames, settings.row.services)
    ]
