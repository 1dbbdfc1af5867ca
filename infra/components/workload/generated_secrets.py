"""Secrets that the cluster generates for a stack."""

from collections.abc import Iterator

from infra import names
from infra.components.data import messaging
from infra.components.secrets import GeneratedSecret, certificate, random_keys
from infra.config.phase_spec import Edge, Phase
from infra.config.settings import Settings
from infra.config.types import SecretSource, Tls


def generated_secrets(settings: Settings, namespace: str) -> Iterator[GeneratedSecret]:
    """Yield the Secrets: random values, unless they are provided, and certificates."""
    row = settings.row
    if settings.secrets.source is SecretSource.GENERATE:
        yield random_keys(names.KEYS_SECRET, names.KEYS_SECRET_KEY)
        for there, secret in ((row.cache, names.CACHE), (settings.broker_row, names.BROKER)):
            if there:
                yield random_keys(secret, names.VALKEY_PASSWORD, names.VALKEY_OPERATOR_PASSWORD)
        if row.split:
            yield from _of_services(row)
        if row.rabbitmq:
            yield from messaging.generated_secrets(settings.releases)
        if settings.growth and settings.growth.former_tables:
            yield random_keys(names.REPLICATION_SECRET, "password", literals={"username": names.REPLICATION_ROLE})
        if settings.own_monitoring and settings.monitoring.grafana:
            yield random_keys(names.GRAFANA, names.GRAFANA_PASSWORD, names.GRAFANA_KEY)
    yield from self_signed(settings)
    if row.rabbitmq:
        yield messaging.server_certificate(row.rabbitmq, namespace)


def _of_services(row: Phase) -> Iterator[GeneratedSecret]:
    """Yield what each service has of its own: signing keys, and passwords of its database role and its cache user."""
    for own in map(names.ServiceNames, row.services):
        if own.keys_secret != names.KEYS_SECRET:
            yield random_keys(own.keys_secret, names.KEYS_SECRET_KEY)
        if not row.own_clusters:  # else the operator makes it with the cluster
            yield random_keys(own.database_secret, "password", literals={"username": own.database})
        if row.cache:
            yield random_keys(own.cache_secret, names.VALKEY_PASSWORD)


def self_signed(settings: Settings) -> list[GeneratedSecret]:
    """Return the gateway's self-signed certificate, if it has one."""
    if settings.edge is Edge.GATEWAY and settings.gateway.certificate is Tls.SELF_SIGNED:
        return [certificate(names.TLS_SECRET, settings.certificate_hosts())]
    return []
