"""Monitoring of a stack: exporters with servers of its own, or objects for the cluster's Prometheus operator."""

from collections.abc import Iterator, Sequence

import pulumi

from infra import names
from infra.components import network
from infra.components.base import Target
from infra.components.observability import alertmanager
from infra.components.observability.alertmanager import Alertmanager
from infra.components.observability.grafana import Grafana
from infra.components.observability.operated_monitoring import OperatedMonitoring
from infra.components.observability.prometheus import Limits, Prometheus, Proxies
from infra.components.observability.receivers import Email, MailServer, Routing
from infra.components.observability.valkey_exporter import ValkeyExporter
from infra.config.growth import Growth
from infra.config.settings import Settings


def monitoring(settings: Settings, target: Target, after: Sequence[pulumi.Resource]) -> Iterator[pulumi.Resource]:
    """Yield the stack's own servers, or objects for an operator; nothing where the phase has no monitoring."""
    row, scraper = settings.row.monitoring, network.scraper(settings)
    if row is None or scraper is None:
        return
    for there, name, servers, labels in (
        (settings.row.cache, "cache", names.CACHE, names.CACHE_LABELS),
        (settings.broker_row, "broker", names.BROKER, names.BROKER_LABELS),
    ):
        if there is None:
            continue
        yield ValkeyExporter(
            f"{name}-exporter",
            target,
            servers=servers,
            labels=labels,
            compute=row.exporter,
            scraper=scraper,
            after=after,
        )
    # While services move, requests come in at the former release, and a service may not be there yet.
    served = settings.former if settings.growth is Growth.MOVE else settings
    limits = Limits(
        {name: (service.api.min_replicas, service.api.max_replicas) for name, service in served.row.services.items()},
        {cluster.service: settings.row.postgresql_of(cluster.service) for cluster in settings.running_clusters},
        _volumes(settings),
    )
    if not settings.own_monitoring:
        yield OperatedMonitoring(
            "monitoring",
            target,
            limits=limits,
            proxies=Proxies.of(settings),
            release=settings.monitoring.release,
            after=after,
        )
        return
    yield Prometheus(
        "prometheus",
        target,
        row=row,
        limits=limits,
        adapter_namespace=settings.monitoring.adapter_namespace,
        proxies=Proxies.of(settings),
        grafana=settings.monitoring.grafana,
        after=after,
    )
    yield Alertmanager("alertmanager", target, row=row, routing=_routing(settings), after=after)
    if settings.monitoring.grafana:
        yield Grafana("grafana", target, row=row, after=after)


def _routing(settings: Settings) -> Routing:
    alerts, mail = settings.alerts, settings.mail
    server = MailServer(mail.host, mail.port, mail.user, mail.sender)
    return Routing(
        page=alerts.page,
        ticket=alerts.ticket,
        webhook_port=settings.monitoring.alerts_port,
        email=Email(alerts.email, server) if alerts.email else None,
        watchdog_port=alerts.watchdog_port if alerts.watchdog else None,
    )


def _volumes(settings: Settings) -> dict[str, int]:
    """Volumes of the servers that tell how much of theirs they use, in GiB."""
    row, volumes = settings.row, {}
    if row.cache:
        volumes["cache"] = row.cache.storage
    if broker := settings.broker_row:
        volumes["broker"] = broker.storage
    if row.monitoring and settings.own_monitoring:
        volumes |= {"prometheus": row.monitoring.storage, "alertmanager": alertmanager.STORAGE}
    return volumes
