"""What gathers metrics, shows them, and says when something is wrong."""

from collections.abc import Sequence

import pulumi

from infra import names
from infra.components.alertmanager import Alertmanager
from infra.components.base import Target
from infra.components.grafana import Grafana
from infra.components.prometheus import Prometheus
from infra.components.valkey_exporter import ValkeyExporter
from infra.config import Settings


def monitoring(settings: Settings, target: Target, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
    """Return the servers of the phase; none where it has no monitoring of its own."""
    row = settings.row.monitoring
    if row is None:
        return []
    prometheus = Prometheus(
        "prometheus",
        target,
        row=row,
        api=settings.row.api,
        adapter_namespace=settings.adapter_namespace,
        gateway_namespace=settings.gateway_namespace,
        grafana=settings.grafana,
        after=after,
    )
    alertmanager = Alertmanager("alertmanager", target, row=row, webhook_port=settings.alerts_port, after=after)
    exporters = [
        ValkeyExporter(f"{name}-exporter", target, servers=servers, labels=labels, compute=row.exporter, after=after)
        for name, servers, labels in (
            ("cache", names.CACHE, names.CACHE_LABELS),
            ("broker", names.BROKER, names.BROKER_LABELS),
        )
    ]
    shown = [Grafana("grafana", target, row=row, after=after)] if settings.grafana else []
    return [prometheus, alertmanager, *exporters, *shown]
