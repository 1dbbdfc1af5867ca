"""Alertmanager: groups the alerts that Prometheus raises, silences them on request, and sends them on."""

from collections.abc import Sequence
from typing import Any, Final

import pulumi
import yaml

from infra import names
from infra.components.base import Target
from infra.components.network import Flow, Peer
from infra.components.observability.receivers import MAIL_FOLDER, SECRET_FOLDER, Routing
from infra.components.observability.single_server import SecretFiles, Server, SingleServer
from infra.config import phase_spec

IMAGE: Final = "docker.io/prom/alertmanager:v0.28.1"
STORAGE: Final = 1  # GiB, the least that most storage classes give: silences, and what was sent

_USER: Final = 10004  # above every user of a host; the server needs none in particular
_CONFIG: Final = "/etc/alertmanager"


def _inhibits(fast: str, slow: str) -> dict[str, Any]:
    """Of two alerts on the same budget the slow one says nothing new while the fast one fires."""
    return {
        "source_matchers": [f"alertname={fast}"],
        "target_matchers": [f"alertname={slow}"],
        "equal": ["service"],
    }


def configuration(routing: Routing) -> dict[str, Any]:
    """Pages go out at once and again each hour, tickets within minutes and again each day."""
    return {
        "route": {
            "receiver": "ticket",
            "group_by": ["alertname", "service"],
            "group_wait": "1m",
            "group_interval": "5m",
            "repeat_interval": "24h",
            "routes": [
                # A repetition is due when the group is looked at, each minute; with a minute here it would miss some.
                # Seen with 50 s: calls at 0, 60, 120, 180 and 240 s.
                {
                    "matchers": ["alertname=Watchdog"],
                    "receiver": "watchdog",
                    "group_wait": "0s",
                    "group_interval": "1m",
                    "repeat_interval": "50s",
                },
                {"matchers": ["severity=page"], "receiver": "page", "group_wait": "5s", "repeat_interval": "1h"},
            ],
        },
        "receivers": routing.receivers(),
        "inhibit_rules": [
            _inhibits("ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly"),
            _inhibits("LatencyBudgetBurnsFast", "LatencyBudgetBurnsSlowly"),
            _inhibits("DatabaseVolumeFillsFast", "DatabaseVolumeFillsSoon"),
        ],
    }


class Alertmanager(SingleServer):
    """One server. Keys and addresses are in Secrets, which it reads when it sends: it starts without them.

    Args:
        row: sizes.
        routing: who is told of what.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        row: phase_spec.Monitoring,
        routing: Routing,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        secrets = [SecretFiles(names.ALERTS_SECRET, SECRET_FOLDER, optional=True)]
        if routing.mail_password:
            secrets.append(SecretFiles(names.MAIL_SECRET, MAIL_FOLDER, optional=True, volume="mail"))
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
                files={"alertmanager.yaml": yaml.safe_dump(configuration(routing), sort_keys=False)},
                config=_CONFIG,
                storage=STORAGE,
                compute=row.alertmanager,
                secrets=tuple(secrets),
                ingress=(Flow(Peer(names.PROMETHEUS_LABELS), (names.ALERTMANAGER_PORT,)),),
                egress=(Flow(Peer(anywhere=True), routing.ports()),),
            )
        )
        self.register_outputs({"service": names.ALERTMANAGER})
