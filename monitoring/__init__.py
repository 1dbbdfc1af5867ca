"""Monitoring as code: rules, dashboards, runbooks, and commands that query a live Prometheus."""
