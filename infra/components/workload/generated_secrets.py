"""Secrets that the cluster generates for a stack, or that a store has for it."""

from collections.abc import Iterator

from infra import names
from infra.components.data import messaging
from infra.components.external_secrets import StoredSecret
from infra.components.secrets import GeneratedSecret, certificate, random_keys
from infra.config.phase_spec import Cdn, Edge, Phase
from infra.config.settings import Settings
from infra.config.types import SecretSource, SmsProvider, Tls


def generated_secrets(settings: Settings, namespace: str) -> Iterator[GeneratedSecret]:
    """Yield the Secrets that the cluster makes: random values, unless they come from elsewhere, and certificates."""
    if settings.secrets.source is SecretSource.GENERATE:
        yield from _random(settings)
    yield from self_signed(settings)
    if settings.row.rabbitmq:
        yield messaging.server_certificate(settings.row.rabbitmq, namespace)


def stored_secrets(settings: Settings) -> Iterator[StoredSecret]:
    """Yield the Secrets that a store has: those that are random otherwise, and those of services outside."""
    for each in _random(settings):
        yield StoredSecret(each.name, each.keys, each.literals)
    if settings.backups.bucket and not settings.backups.identity:
        yield StoredSecret(names.BACKUPS, ("access-key-id", "secret-access-key", "region"))
    if settings.mail.user:
        yield StoredSecret(names.MAIL_SECRET, (names.MAIL_SECRET_KEY,))
    if settings.sms.provider is not SmsProvider.NONE:
        yield StoredSecret(names.SMS_SECRET, (names.SMS_ACCOUNT_KEY, names.SMS_SECRET_KEY))
    if settings.errors.enabled:
        yield StoredSecret(names.SENTRY_SECRET, (names.SENTRY_SECRET_KEY,))
    if settings.cdn.kind is Cdn.CLOUDFLARE:
        yield StoredSecret(names.CDN_SECRET, (names.CDN_SECRET_KEY,))


def _random(settings: Settings) -> Iterator[GeneratedSecret]:
    """Yield what has random values."""
    row = settings.row
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
