"""Shipping of logs to an existing Elasticsearch, or to one of the stack's own."""

from dataclasses import replace
from urllib.parse import urlsplit

import pulumi

from infra import names
from infra.components.base import Target
from infra.components.namespace import Namespace
from infra.components.network import Flow, Peer
from infra.components.observability import log_store
from infra.components.observability.filebeat import Shipping
from infra.components.observability.log_shipper import LogShipper, Receiver
from infra.components.observability.log_store import LogStore
from infra.components.secrets import Secrets
from infra.config.image import Image
from infra.config.settings import Settings
from infra.config.types import LogDestination, SecretSource

_SHIPPER = "log-shipper"


def logs(settings: Settings, target: Target, image: Image) -> None:
    """Register the shipper, and the store where it is the stack's, in a namespace of their own; nothing by default.

    Of their own because the shipper reads files of the node, which the stack's namespace forbids.
    """
    if settings.logs.destination is LogDestination.NONE:
        return
    store = settings.row.logs.store if settings.logs.destination is LogDestination.OPERATOR else None
    there = replace(target, namespace=names.logs_namespace(target.namespace))
    parts: list[pulumi.Resource] = [
        Namespace("logs-namespace", there, pod_security="privileged", keeps_data=store is not None),
    ]
    receiver = _operators() if store else _existing(settings)
    shipping = Shipping(
        target.namespace,
        target.stack,
        receiver.endpoint,
        receiver.credentials(),
        settings.row.logs,
        retention=settings.logs.retention,
    )
    if store and settings.secrets.source is SecretSource.GENERATE:
        generated = [log_store.shippers_secret(shipping)]
        parts.append(Secrets("logs-secrets", there, image=image, generated=generated, after=tuple(parts)))
    if store:
        parts.append(
            LogStore(
                "log-store",
                there,
                row=store,
                shipper=Peer(there.labels(_SHIPPER)),
                operator_namespace=settings.logs.operator_namespace,
                after=tuple(parts),
            )
        )
    LogShipper(_SHIPPER, there, shipping=shipping, receiver=receiver, after=parts)


def _existing(settings: Settings) -> Receiver:
    port = settings.logs_port()
    parts = urlsplit(settings.logs.endpoint)
    return Receiver(
        endpoint=f"{parts.scheme}://{parts.hostname}:{port}",  # without a port, Filebeat would take 9200
        user="",
        key=names.LOGS_API_KEY,
        certificate=names.LOGS,
        certificate_needed=False,
        flow=Flow(Peer(anywhere=True), (port,)),
    )


def _operators() -> Receiver:
    return Receiver(
        endpoint=f"https://{names.ELASTICSEARCH_SERVICE}:{names.ELASTICSEARCH_PORT}",
        user=names.LOGS_USER,
        key=names.LOGS_PASSWORD,
        certificate=names.ELASTICSEARCH_CERTIFICATE,
        certificate_needed=True,
        flow=Flow(Peer(log_store.STORE), (names.ELASTICSEARCH_PORT,)),
    )
