"""Alertmanager: groups the alerts that Prometheus raises, silences them on request, and sends them on."""

from collections.abc import Sequence
from typing import Any, Final

import pulumi
import yaml

from infra import names
from infra.components.base import Target
from infra.components.network import Flow, Peer
from infra.components.observability.single_server import SecretFiles, Server, SingleServer
from infra.config import phase_spec

IMAGE: Final = "docker.io/prom/alertmanager:v0.28.1"

_USER: Final = 10004  # above every user of a host; the server needs none in particular
_CONFIG: Final = "/etc/alertmanager"
_SECRET: Final = "/run/secrets/alerts"  # noqa: S105 - a directory
STORAGE: Final = 1  # GiB, the least that most storage classes give: silences, and what was sent


def _inhibits(fast: str, slow: str) -> dict[str, Any]:
    """Of two alerts on the same budget the slow one says nothing new while the fast one fires."""
    return {"source_matchers": [f"alertname={fast}"], "target_matchers": [f"alertname={slow}"]}


def configuration() -> dict[str, Any]:
    """Pages go out at once and again each hour, tickets within minutes and again each day."""
    return {
        "route": {
            "receiver": "team",
            "group_by": ["alertname"],
            "group_wait": "1m",
            "group_interval": "5m",
            "repeat_interval": "24h",
            "routes": [
                {"matchers": ["alertname=Watchdog"], "receiver": "nobody"},
                {"matchers": ["severity=page"], "receiver": "team", "group_wait": "5s", "repeat_interval": "1h"}
            ],
        },
        "receivers": [
            {"name": "team", "webhook_configs": [{"url_file": f"{_SECRET}/{names.ALERTS_SECRET_KEY}"}]},
            {"name": "nobody"},
        ],
        "inhibit_rules": [
            _inhibits("ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly"),
            _inhibits("LatencyBudgetBurnsFast", "LatencyBudgetBurnsSlowly"),
        ],
    }


class Alertmanager(SingleServer):
    """One server. Alerts go to the web hook whose address is in a Secret; without it they are only shown.

    Args:
        row: sizes.
        webhook_port: of that address, which the program does not know.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        row: phase_spec.Monitoring,
        webhook_port: int,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        self.serve(
            Server(
                name=names.ALERTMANAGER,
                image=IMAGE,
                user=_USER,
                arguments=(
                    f"--config.file={_CONFIG}/alertmanager.yaml",
                    "--storage.path=/data",
                    f"--web.listen-address=:{names.ALERTMANAGER_PORT}",
                    "--cluster.listen-address=",  # alone: it has nobody to agree with
                ),
                port=names.ALERTMANAGER_PORT,
                files={"alertmanager.yaml": yaml.safe_dump(configuration(), sort_keys=False)},
                config=_CONFIG,
                storage=STORAGE,
                compute=row.alertmanager,
                secret=SecretFiles(names.ALERTS_SECRET, _SECRET, optional=True),
                ingress=(Flow(Peer(names.PROMETHEUS_LABELS), (names.ALERTMANAGER_PORT,)),),
                egress=(Flow(Peer(anywhere=True), (webhook_port,)),),
            )
        )
        self.register_outputs({"service": names.ALERTMANAGER})
