"""What gathers metrics, shows them, and says when something is wrong."""

from collections.abc import Sequence

import pulumi

from infra.components.alertmanager import Alertmanager
from infra.components.base import Target
from infra.components.grafana import Grafana
from infra.components.prometheus import Prometheus
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
        adapter_namespace=settings.adapter_namespace,
        grafana=settings.grafana,
        after=after,
    )
    alertmanager = Alertmanager("alertmanager", target, row=row, webhook_port=settings.alerts_port, after=after)
    return [
        prometheus,
        alertmanager,
        *([Grafana("grafana", target, row=row, after=after)] if settings.grafana else []),
    ]
