"""Configurations with a snapshot in `tests/infra/snapshots`: each phase, and what each setting changes in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.infra import engine

IMAGE: Final = "ghcr.io/primetrade/task-manager:1.2.3"
"""Named in every variant, so that a release of the project changes no snapshot."""
ZONE: Final = "0123456789abcdef" * 2
RESTORED: Final = "2030-01-02T03:04:05+00:00@1"
CLOUDFLARE: Final = {
    "hostname": "tasks.example.com",
    "cdn": "cloudflare",
    "cdn_zone": ZONE,
    "cdn_origin": "192.0.2.10",
}
MAIL: Final = {
    "smtp_host": "mail.example.com",
    "smtp_port": "2525",
    "smtp_user": "tasks",
    "smtp_tls": "implicit",
    "mail_from": "tasks@example.com",
}
TRACES: Final = {"traces_endpoint": "http://collector.monitoring:4318", "traces_percent": "5"}
ERRORS: Final = {"errors": "true", "errors_port": "9000"}


@dataclass(frozen=True)
class Variant:
    """A configuration.

    Args:
        stack: the stack whose file it begins with, and whose name it runs under; empty for a stack without settings.
        settings: set beside those.
        base: the variant that its snapshot is written against; empty for a whole one.
    """

    stack: str
    settings: Mapping[str, str] = field(default_factory=dict)
    base: str = ""

    @property
    def config(self) -> dict[str, str]:
        """Its keys, as the engine hands them over."""
        begun = engine.stack_file(self.stack) if self.stack else {}
        added = {"image": IMAGE, **self.settings}
        return {**begun, **{f"task-manager:{key}": value for key, value in added.items()}}


def _of(stack: str, **settings: str) -> Variant:
    return Variant(stack, settings, base=stack)


VARIANTS: Final[Mapping[str, Variant]] = {
    "phase1": Variant("phase1"),
    "phase1-postgresql": Variant("phase1", {"database": "postgresql"}),
    "phase2": Variant("phase2"),
    "phase3": Variant("phase3"),
    "defaults": Variant("", base="phase1"),
    "prod": Variant("prod", base="phase2"),
    "staging": Variant("staging", base="phase2"),
    "phase1-storage": _of("phase1", database_storage="25", storage_class="fast"),
    "phase1-address": _of("phase1", node_port="30123", url="http://tasks.example.com", log_level="debug"),
    "phase1-mail": _of("phase1", **MAIL),
    "phase1-telemetry": _of("phase1", **TRACES, **ERRORS),
    "phase1-logs": _of("phase1", logs="elasticsearch", logs_endpoint="https://logs.example.com"),
    "phase1-postgresql-backups": Variant(
        "phase1", {"database": "postgresql", "backup_bucket": "backups", "backup_folder": "prod/1"}, "phase1-postgresql"
    ),
    "phase2-hostname": _of(
        "phase2", hostname="tasks.example.com", redirect_http="true", url="", url_tls="", load_balancing="round-robin"
    ),
    "phase2-gateway": _of(
        "phase2", gateway_class="other", gateway_namespace="ingress", gateway_port="80", gateway_port_tls="443"
    ),
    "phase2-provided": _of("phase2", secrets="provided", tls="provided"),
    "phase2-digest": _of("phase2", image=f"ghcr.io/primetrade/task-manager@sha256:{ZONE * 2}"),
    "phase2-database": _of(
        "phase2", database_durability="preferred", database_storage="25", operator_namespace="postgres"
    ),
    "phase2-mail": _of("phase2", **MAIL),
    "phase2-telemetry": _of("phase2", **TRACES, **ERRORS),
    "phase2-edge": _of("phase2", cdn="edge"),
    "phase2-cloudflare": _of("phase2", **CLOUDFLARE),
    "phase3-protected": _of("phase3", protect_data="true", rollout_timeout="600"),
    "phase3-no-cdn": _of("phase3", cdn="none"),
    "phase3-cloudflare": _of("phase3", **CLOUDFLARE),
    "phase3-grafana": _of("phase3", grafana="true", alerts_port="8443", api_server_ports="443, 16443"),
    "phase3-monitoring-operator": _of(
        "phase3", monitoring="operator", monitoring_namespace="watch", monitoring_release="kube-prometheus-stack"
    ),
    "phase3-logs-operator": _of("phase3", logs="operator", logs_operator_namespace="eck"),
    "phase3-logs-provided": _of("phase3", logs="operator", secrets="provided"),
    "phase3-no-backups": _of("phase3", backup_bucket=""),
    "phase3-restored": _of("phase3", restores=RESTORED),
    "phase3-restored-twice": _of("phase3", restores=f"{RESTORED},2030-02-02T03:04:00+00:00@2", protect_data="true"),
    "phase3-restored-removed": _of("phase3", restores=RESTORED, former_databases="removed"),
}
