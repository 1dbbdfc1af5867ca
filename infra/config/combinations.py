"""Combinations of settings that cannot work, each in one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.config import monitoring_sections
from infra.config.identities import IdentityKind, parse_identity
from infra.config.phase_spec import Cdn, DatabaseKind, Edge
from infra.config.types import (
    SMTPS_PORT,
    GatewayKind,
    LogDestination,
    Receiver,
    SecretSource,
    SmsProvider,
    SmtpTls,
    Tls,
    port_of,
)
from infra.names import PROJECT

if TYPE_CHECKING:
    from infra.config.settings import Settings


def problems(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each: the key, what is wrong with it, and what to do."""
    for check in (_database_logs_and_mail, _secrets, _gateway, _mesh, _cdn, _bucket_identity, _alerts):
        yield from check(settings)


def _database_logs_and_mail(settings: Settings) -> Iterator[str]:
    if settings.backups.bucket and settings.database_kind is DatabaseKind.SQLITE:
        yield f"{PROJECT}:backups.bucket: SQLite is not backed up: set {PROJECT}:database.kind to postgresql"
    if settings.database.restores and not settings.backups.bucket:
        yield f"{PROJECT}:database.restores: a restore reads from the bucket: set {PROJECT}:backups.bucket"
    if settings.database_kind not in settings.row.databases:
        known = " or ".join(settings.row.databases)
        yield (
            f"{PROJECT}:database.kind: phase {settings.phase} cannot run on {settings.database_kind}: set it to {known}"
        )
    if settings.logs.destination is LogDestination.ELASTICSEARCH and not settings.logs.endpoint:
        yield f"{PROJECT}:logs.destination: elasticsearch needs an address: set {PROJECT}:logs.endpoint"
    if settings.logs.destination is LogDestination.OPERATOR and settings.row.logs.store is None:
        yield f"{PROJECT}:logs.destination: phase {settings.phase} has nothing for operator: set it to elasticsearch"
    if settings.mail.host and not settings.mail.sender:
        yield f"{PROJECT}:mail.sender: {PROJECT}:mail.host needs a sender of mail: set it to an address"
    if settings.sms.provider is SmsProvider.TWILIO and not settings.sms.sender:
        yield f"{PROJECT}:sms.sender: twilio needs a sender: set it to a number or to the SID of a messaging service"


def _secrets(settings: Settings) -> Iterator[str]:
    if settings.secrets.source is SecretSource.VAULT and not settings.secrets.address:
        yield f"{PROJECT}:secrets.address: vault needs an address: set it to that of your Vault or OpenBao"
    if settings.secrets.source is SecretSource.AWS and not settings.secrets.region:
        yield f"{PROJECT}:secrets.region: aws needs a region: set it to that of the entries"


def _gateway(settings: Settings) -> Iterator[str]:
    if settings.row.edge is Edge.GATEWAY and settings.gateway.enabled is False:
        yield f"{PROJECT}:gateway.enabled: phase {settings.phase} has no other way in: set it to true"
    if settings.edge is Edge.GATEWAY and not settings.hostname and not (settings.url and settings.url_tls):
        yield (
            f"{PROJECT}:hostname: phase {settings.phase} needs it, or both url and url_tls, for its address"
            if settings.row.edge is Edge.GATEWAY
            else f"{PROJECT}:hostname: the gateway needs it, or both url and url_tls, for its address"
        )
    if settings.gateway.certificate is Tls.ACME and settings.edge is not Edge.GATEWAY:
        yield (
            f"{PROJECT}:gateway.certificate: acme is of a gateway, and phase {settings.phase} has none: set"
            f" {PROJECT}:gateway.enabled to true"
        )
    if settings.gateway.certificate is Tls.ACME and not settings.hostname:
        yield f"{PROJECT}:gateway.certificate: acme needs the name that is certified: set {PROJECT}:hostname"


def _mesh(settings: Settings) -> Iterator[str]:
    istio = settings.gateway_kind is GatewayKind.ISTIO
    if settings.row.mesh is None and settings.meshed:
        yield f"{PROJECT}:mesh.kind: phase {settings.phase} has no mesh: set it to none"
    elif settings.row.mesh is None and istio:
        yield f"{PROJECT}:gateway.kind: phase {settings.phase} has no gateway of Istio's: set it to traefik or kong"
    if settings.meshed and not istio:
        yield (
            f"{PROJECT}:gateway.kind: {settings.gateway_kind.title()} has no sidecar, and services of the mesh refuse"
            f" who has none: set it to istio, or {PROJECT}:mesh.kind to none"
        )
    if settings.meshed and settings.cdn_kind is Cdn.EDGE:
        yield (
            f"{PROJECT}:cdn.kind: Varnish has no sidecar, and services of the mesh refuse who has none: set it to none"
            f" or cloudflare, or {PROJECT}:mesh.kind to none"
        )
    if (
        settings.gateway_kind is GatewayKind.KONG
        and settings.gateway.redirect_http
        and port_of(settings.addresses()[1]) != 443
    ):
        yield (
            f"{PROJECT}:gateway.redirect_http: Kong redirects to port 443 alone: remove it, or the port of"
            f" {PROJECT}:url_tls"
        )
    if settings.gateway.token_keys and settings.gateway_kind is not GatewayKind.KONG:
        yield (
            f"{PROJECT}:gateway.token_keys: only Kong is given keys: remove it, or set {PROJECT}:gateway.kind to kong"
        )
    for key in ("node_port", "node_port_tls"):
        if getattr(settings.gateway, key) is not None and not istio:
            yield f"{PROJECT}:gateway.{key}: is of Istio's gateway: remove it, or set {PROJECT}:gateway.kind to istio"


def _cdn(settings: Settings) -> Iterator[str]:
    if settings.cdn_kind not in settings.row.cdns:
        known = " or ".join(settings.row.cdns)
        yield f"{PROJECT}:cdn.kind: phase {settings.phase} has nothing for {settings.cdn_kind}: set it to {known}"
    needed = {"hostname": settings.hostname, "cdn.zone": settings.cdn.zone, "cdn.origin": settings.cdn.origin}
    missing = [key for key, value in needed.items() if not value]
    if settings.cdn_kind is Cdn.CLOUDFLARE and missing:
        yield f"{PROJECT}:cdn.kind: cloudflare needs to know more: set {' and '.join(missing)}"
    if settings.cdn.zone_hosts and not settings.cdn.zone_rules:
        yield (
            f"{PROJECT}:cdn.zone_hosts: another stack holds the zone's rules: set it there, or set"
            f" {PROJECT}:cdn.zone_rules to true"
        )


def _bucket_identity(settings: Settings) -> Iterator[str]:
    backups = settings.backups
    identity = parse_identity(backups.identity)
    if identity is None:
        return
    if not backups.bucket:
        yield f"{PROJECT}:backups.identity: there is no bucket for it: set {PROJECT}:backups.bucket"
    if identity.kind is IdentityKind.GKE and backups.endpoint:
        yield (
            f"{PROJECT}:backups.endpoint: {identity.kind} opens Google's buckets alone: remove it, or"
            f" {PROJECT}:backups.identity"
        )
    if identity.kind is IdentityKind.AKS and not backups.endpoint:
        yield (
            f"{PROJECT}:backups.endpoint: {identity.kind} needs the address of its storage account: set it to"
            " https://ACCOUNT.blob.core.windows.net"
        )


def _alerts(settings: Settings) -> Iterator[str]:
    alerts, mail = settings.alerts, settings.mail
    if alerts != monitoring_sections.Alerts() and not settings.own_monitoring:
        whose = (
            f"phase {settings.phase} has no alerts"
            if settings.row.monitoring is None
            else "the operator's are the cluster's"
        )
        yield f"{PROJECT}:alerts: the stack has no Alertmanager of its own ({whose}): remove {PROJECT}:alerts"
    if Receiver.EMAIL not in (*alerts.page, *alerts.ticket):
        return
    missing = [key for key, value in {"alerts.email": alerts.email, "mail.host": mail.host}.items() if not value]
    if missing:
        yield f"{PROJECT}:alerts: email needs to know more: set {' and '.join(missing)}"
    if (mail.port == SMTPS_PORT) != (mail.tls is SmtpTls.IMPLICIT):
        yield (
            f"{PROJECT}:alerts: Alertmanager's mails begin with TLS at port {SMTPS_PORT}, and there alone: set"
            f" {PROJECT}:mail.port or {PROJECT}:mail.tls accordingly"
        )
