"""Catalogue of rules, of exported metrics, and of the routes of each service."""

import json
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).parent
GENERATED: Final = FOLDER / "dashboards" / "generated"
"""Dashboards as Grafana reads them."""
RUNBOOKS: Final = "https://github.com/primetrade/task-manager/blob/main/monitoring/runbooks/"

SERVICE: Final = "$service"
"""Variable of dashboards: a regular expression of services, as the label `service` has them."""
EVERY_SERVICE: Final = ".+"

WATCHDOG: Final = "Watchdog"
"""The alert that always fires: it asks for no metric, and nobody is paged by it."""

ROUTES: Final = {
    "auth": "/api/v1/(auth|users|admin)(/.*)?|/[.]well-known/jwks[.]json",
    "tasks": "/api/v1/(tasks|tags|jobs|files)(/.*)?",
    "notifications": "/api/v1/notifications(/.*)?",
    "analytics": "/api/v1/(statistics|reports)(/.*)?",
    "web": "/(static/.*|favicon[.]ico)?|/api/v1/(openapi[.]json|docs([.]css)?)|unmatched",
}
"""Service → regular expression of its routes' templates, as the label `url_rule` has them; `web` is the front end, and
what fits no route."""


def rules() -> list[dict[str, Any]]:
    """Return every rule of `rules/`, recording and alerting, as Prometheus reads it."""
    files = [yaml.safe_load(path.read_text()) for path in sorted((FOLDER / "rules").glob("*.yaml"))]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """Return the alerts by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def dashboards() -> dict[str, dict[str, Any]]:
    """Return the dashboards that are committed, by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(GENERATED.glob("*.json"))}


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a dashboard shows, its rows' headings left out."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions(panel: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a panel asks, of all services: the legend and the expression of each query."""
    return [(target["legendFormat"], target["expr"].replace(SERVICE, EVERY_SERVICE)) for target in panel["targets"]]


def runbook(alert: str) -> str:
    """Return the address of an alert's page."""
    return f"{RUNBOOKS}{alert}.md"


def exported() -> dict[str, list[str]]:
    """Return the metrics that rules and dashboards may use, by exporter."""
    found: dict[str, list[str]] = yaml.safe_load((FOLDER / "exporters.yaml").read_text())
    return found


def known_metrics() -> set[str]:
    """Return every metric name that an expression may use: exported ones, and those that rules record."""
    names = {name for metrics in exported().values() for name in metrics}
    return names | {rule["record"] for rule in rules() if "record" in rule}
