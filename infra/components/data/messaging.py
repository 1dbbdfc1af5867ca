"""Messaging of the services: RabbitMQ, the Secrets that it stands on, and the users of the services."""

from collections.abc import Iterator, Sequence

import pulumi

from infra import names
from infra.components.base import Target
from infra.components.certificate_renewal import CertificateRenewal
from infra.components.data import rabbitmq_config
from infra.components.data.rabbitmq import RabbitMQ
from infra.components.image_job import SECRETS, Command, ImageJob, folder_of
from infra.components.network import Flow, Peer
from infra.components.secrets import GeneratedSecret, certificate, random_keys
from infra.config import phase_spec
from infra.config.image import Image


def generated_secrets(services: Sequence[str]) -> list[GeneratedSecret]:
    """Return the Secrets with random values: the nodes' own, and one for the user of each service."""
    nodes = random_keys(names.RABBITMQ, names.RABBITMQ_COOKIE, names.RABBITMQ_ADMINISTRATOR_PASSWORD)
    users = (random_keys(names.ServiceNames(service).rabbitmq_secret, names.RABBITMQ_PASSWORD) for service in services)
    return [nodes, *users]


def server_certificate(row: phase_spec.RabbitMQ, namespace: str) -> GeneratedSecret:
    """Return the Secret of the nodes' certificate, for the Service's names and each node's, and of its authority."""
    hosts = [names.RABBITMQ, f"{names.RABBITMQ}.{namespace}", *rabbitmq_config.node_hosts(row.nodes)]
    return certificate(names.RABBITMQ_CERTIFICATE, hosts, authority=True)


def configuration(services: Sequence[str]) -> Command:
    """Return the command that makes the users of services, their permissions and the queues of events."""
    users = [
        word
        for service in services
        for word in (
            "--service",
            f"{service}={folder_of(names.ServiceNames(service).rabbitmq_secret)}/{names.RABBITMQ_PASSWORD}",
        )
    ]
    return Command(
        name=names.RABBITMQ_CONFIGURATION,
        words=(
            "configure-broker",
            *("--host", names.RABBITMQ),
            *("--port", str(names.RABBITMQ_PORT)),
            *("--management-port", str(names.RABBITMQ_MANAGEMENT_PORT)),
            *("--ca-file", f"{folder_of(names.RABBITMQ_CERTIFICATE)}/{names.RABBITMQ_CA}"),
            *("--user", names.RABBITMQ_ADMINISTRATOR),
            *("--password-file", f"{SECRETS}/{names.RABBITMQ_ADMINISTRATOR_PASSWORD}"),
            *users,
        ),
        secret=names.RABBITMQ,
        egress=(Flow(Peer(names.RABBITMQ_LABELS), (names.RABBITMQ_PORT, names.RABBITMQ_MANAGEMENT_PORT)),),
        keys=(names.RABBITMQ_ADMINISTRATOR_PASSWORD,),
        further={
            names.RABBITMQ_CERTIFICATE: names.RABBITMQ_CA,
            **{names.ServiceNames(service).rabbitmq_secret: names.RABBITMQ_PASSWORD for service in services},
        },
    )


def messaging(
    target: Target,
    *,
    row: phase_spec.RabbitMQ,
    services: Sequence[str],
    scraper: Peer | None,
    image: Image,
    after: Sequence[pulumi.Resource],
) -> Iterator[pulumi.Resource]:
    """Yield RabbitMQ and what keeps it in order: a service can log in once all of it is there.

    Args:
        row: sizes and number of the nodes.
        services: names of the services; each gets a user of its own.
        scraper: who asks for metrics; None for nobody.
        image: of the API.
        after: what makes the Secrets of `generated_secrets` and `server_certificate`.
    """
    nodes = RabbitMQ("rabbitmq", target, row=row, scraper=scraper, after=after)
    yield nodes
    yield CertificateRenewal(
        "rabbitmq-certificate-renewal",
        target,
        image=image,
        generated=server_certificate(row, target.namespace),
        called=names.RABBITMQ_CERTIFICATE_RENEWAL,
        after=after,
    )
    yield ImageJob(
        "rabbitmq-configuration", target, command=configuration(services), image=image, after=[*after, nodes]
    )
