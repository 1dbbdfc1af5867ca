"""Grafana: shows the dashboards of `monitoring/dashboards` to whoever logs in."""

import configparser
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pulumi
import yaml

from infra import names
from infra.components.base import Target
from infra.components.network import Flow, Peer
from infra.components.observability.single_server import SecretFiles, Server, SingleServer
from infra.config import phase_spec

# The version whose schema the dashboards are written in.
IMAGE: Final = "docker.io/grafana/grafana:11.6.0"
DASHBOARDS: Final = Path(__file__).resolve().parents[3] / "monitoring" / "dashboards" / "generated"

_USER: Final = 10005  # above every user of a host; the server needs none in particular
_CONFIG: Final = "/etc/grafana"
_SECRET: Final = "/run/secrets/grafana"  # noqa: S105 - a directory
STORAGE: Final = 1  # GiB, the least that most storage classes give: users and what they have starred


def settings() -> dict[str, dict[str, str]]:
    """Nobody sees anything without logging in, nobody signs up, and nothing is asked of the internet."""
    return {
        "server": {"http_port": str(names.GRAFANA_PORT)},
        "paths": {
            "data": "/data",
            "logs": "/data/log",
            "plugins": "/data/plugins",
            "provisioning": f"{_CONFIG}/provisioning",
        },
        "log": {"mode": "console"},
        "security": {
            "admin_user": "admin",
            "admin_password": f"$__file{{{_SECRET}/{names.GRAFANA_PASSWORD}}}",
            "secret_key": f"$__file{{{_SECRET}/{names.GRAFANA_KEY}}}",
            "disable_gravatar": "true",
        },
        "users": {
            "allow_sign_up": "false",
            "default_theme": "system",
        },
        "auth.anonymous": {"enabled": "false"},
        "analytics": {
            "reporting_enabled": "false",
            "check_for_updates": "false",
            "check_for_plugin_updates": "false",
        },
        "plugins": {"plugin_admin_enabled": "false", "preinstall_disabled": "true"},
        "snapshots": {"external_enabled": "false"},
        "news": {"news_feed_enabled": "false"},
        "dashboards": {"default_home_dashboard_path": f"{_CONFIG}/dashboards/overview.json"},
    }


def datasources() -> dict[str, Any]:
    """The stack's own Prometheus, which dashboards find as the default."""
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Prometheus",
                "type": "prometheus",
                "access": "proxy",
                "url": f"http://{names.PROMETHEUS}:{names.PROMETHEUS_PORT}",
                "isDefault": True,
                "editable": False,
            }
        ],
    }


def providers() -> dict[str, Any]:
    """Where the dashboards are. What somebody changes in the browser is not kept: the code is the place for it."""
    provider = {
        "name": names.PROJECT,
        "type": "file",
        "allowUiUpdates": False,
        "options": {"path": f"{_CONFIG}/dashboards"},
    }
    return {"apiVersion": 1, "providers": [provider]}


def files() -> dict[str, str]:
    """Settings, sources and dashboards, by path."""
    ini = configparser.ConfigParser(interpolation=None)
    ini.read_dict(settings())
    written = io.StringIO()
    ini.write(written)
    return {
        "grafana.ini": written.getvalue(),
        "provisioning/datasources/prometheus.yaml": yaml.safe_dump(datasources(), sort_keys=False),
        "provisioning/dashboards/files.yaml": yaml.safe_dump(providers(), sort_keys=False),
        **{f"dashboards/{path.name}": path.read_text() for path in sorted(DASHBOARDS.glob("*.json"))},
    }


class Grafana(SingleServer):
    """One server. Its passwords are in a Secret; dashboards come with the program and cannot be changed in it.

    Args:
        row: sizes.
    """

    def __init__(
        self, name: str, target: Target, *, row: phase_spec.Monitoring, after: Sequence[pulumi.Resource]
    ) -> None:
        super().__init__(name, target, after)
        self.serve(
            Server(
                name=names.GRAFANA,
                image=IMAGE,
                user=_USER,
                # Not the image's own script, which wants to write to its root.
                command=("grafana", "server"),
                arguments=("--homepath=/usr/share/grafana", f"--config={_CONFIG}/grafana.ini"),
                port=names.GRAFANA_PORT,
                files=files(),
                config=_CONFIG,
                storage=STORAGE,
                compute=row.grafana,
                secrets=(SecretFiles(names.GRAFANA, _SECRET, optional=False),),
                ready="/api/health",
                healthy="/api/health",
                egress=(Flow(Peer(names.PROMETHEUS_LABELS), (names.PROMETHEUS_PORT,)),),
            )
        )
        self.register_outputs({"service": names.GRAFANA})
