"""The dashboards' files: what Grafana reads."""

import json
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from monitoring.dashboards.cache import cache
from monitoring.dashboards.database import database
from monitoring.dashboards.jobs import jobs
from monitoring.dashboards.mesh import mesh
from monitoring.dashboards.overview import overview
from monitoring.dashboards.platform import platform
from monitoring.dashboards.rabbitmq import rabbitmq
from monitoring.dashboards.service import service
from monitoring.dashboards.slo import slo

_DASHBOARDS: Final = (overview, service, slo, database, cache, jobs, rabbitmq, mesh, platform)


def files() -> dict[str, str]:
    """Return each dashboard's JSON by file name; the same code makes the same bytes."""
    return {f"{make.__name__}.json": as_json(make()) for make in _DASHBOARDS}


def as_json(dashboard: Dashboard) -> str:
    """Return a dashboard as Grafana reads it."""
    return json.dumps(dashboard.build(), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"
