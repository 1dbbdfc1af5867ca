"""What is watched and how it is shown: rules, dashboards, runbooks, and the commands that ask a live Prometheus."""
