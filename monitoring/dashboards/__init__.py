"""Grafana dashboards as code, one file a dashboard; `python -m monitoring.dashboards` writes what Grafana reads."""
