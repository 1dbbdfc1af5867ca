"""Configurations with a snapshot in `tests/infra/snapshots`: each phase, and what each setting changes in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from tests.infra import engine

IMAGE: Final = "ghcr.io/primetrade/task-manager:1.2.3"
"""Named in every variant, so that a release of the project changes no snapshot."""
ZONE: Final = "0123456789abcdef" * 2
RESTORED: Final = "2030-01-02T03:04:05+00:00@1"
CLOUDFLARE: Final = {
    "hostname": "tasks.example.com",
    "cdn.kind": "cloudflare",
    "cdn.zone": ZONE,
    "cdn.origin": "192.0.2.10",
}
MAIL: Final = {
    "mail.host": "mail.example.com",
    "mail.port": "2525",
    "mail.user": "tasks",
    "mail.tls": "implicit",
    "mail.sender": "tasks@example.com",
}
TRACES: Final = {"tracing.endpoint": "http://collector.monitoring:4318", "tracing.percent": "5"}
SIZES: Final = {
    "api.min_replicas": 2,
    "api.max_replicas": 5,
    "api.threads": 16,
    "api.cpu": 400,
    "api.memory": 512,
    "workers.min_replicas": 2,
    "workers.max_replicas": 6,
    "workers.cpu": 250,
    "workers.memory": 640,
    "database.instances": 3,
    "database.cpu": 2000,
    "database.memory": 4096,
    "database.storage": 100,
    "database.wal_storage": 20,
    "database.poolers": 3,
    "cache.cpu": 100,
    "cache.memory": 512,
    "cache.storage": 5,
    "broker.cpu": 50,
    "broker.memory": 128,
    "broker.storage": 3,
}
ONE_SERVICE: Final = {
    "services.tasks.api.min_replicas": 30,
    "services.tasks.api.max_replicas": 300,
    "services.tasks.api.threads": 8,
    "services.tasks.api.cpu": 900,
    "services.tasks.api.memory": 512,
    "services.tasks.workers.min_replicas": 2,
    "services.tasks.workers.max_replicas": 40,
    "services.tasks.workers.cpu": 250,
    "services.tasks.workers.memory": 640,
    "services.tasks.database.instances": 5,
    "services.tasks.database.cpu": 4000,
    "services.tasks.database.memory": 8192,
    "services.tasks.database.storage": 200,
    "services.tasks.database.wal_storage": 50,
    "services.tasks.database.poolers": 10,
    "services.tasks.database.replica_poolers": 10,
    "services.tasks.log_level": "debug",
}
ERRORS: Final = {"errors.enabled": "true", "errors.port": "9000"}


@dataclass(frozen=True)
class Variant:
    """A configuration.

    Args:
        stack: the stack whose file it begins with, and whose name it runs under; empty for a stack without settings.
        settings: set beside those.
        base: the variant that its snapshot is written against; empty for a whole one.
        deployed: outputs of the stack's last update.
    """

    stack: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    base: str = ""
    deployed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, Any]:
        """Its values by path."""
        begun = engine.stack_file(self.stack) if self.stack else {}
        added = {"image": IMAGE, **self.settings}
        return {**begun, **{f"task-manager:{key}": value for key, value in added.items()}}


# The gateway of phase 3 stays: an example stack of phase 4 has Istio's.
_TRAEFIK: Final = {
    "gateway": {"port": "8001", "port_tls": "8444"},
    "url": "http://127.0.0.1:30091",
    "url_tls": "https://127.0.0.1:30444",
}


def grown(
    settings: Mapping[str, Any] = MappingProxyType({}), base: str = "phase4-without-mesh", **deployed: Any
) -> Variant:
    """Return a stack that grows out of phase 3, or has.

    Args:
        settings: set beside those of phase 4.
        base: see `Variant`.
        deployed: outputs of its last update, beside those of every one.
    """
    outputs = {"image": IMAGE, "namespace": "task-manager-phase4", "gateway_namespace": "traefik", **deployed}
    return Variant("phase4", {**_TRAEFIK, **settings}, base, outputs)


def _of(stack: str, settings: Mapping[str, Any]) -> Variant:
    return Variant(stack, settings, base=stack)


VARIANTS: Final[Mapping[str, Variant]] = {
    "phase1": Variant("phase1"),
    "phase1-postgresql": Variant("phase1", {"database.kind": "postgresql"}),
    "phase2": Variant("phase2"),
    "phase3": Variant("phase3"),
    "phase4": Variant("phase4"),
    "phase4-standard": Variant("phase4", {"size": "standard"}, base="phase4"),
    "phase4-without-mesh": _of("phase4", engine.WITHOUT_MESH),
    "phase4-istio-gateway": _of("phase4", {"mesh.kind": "none", "gateway.kind": "istio"}),
    "phase4-kong": Variant(
        "phase4",
        {
            **engine.WITHOUT_MESH,
            "gateway.kind": "kong",
            "gateway.redirect_http": "true",
            "hostname": "tasks.example.com",
            "url": "",
            "url_tls": "",
            "gateway.token_keys": ["task-manager-token-key-1", "task-manager-token-key-2"],
        },
        "phase4-without-mesh",
    ),
    "phase4-mesh-namespace": _of("phase4", {"mesh.namespace": "mesh"}),
    "phase4-rabbitmq": _of("phase4", {"rabbitmq.cpu": 300, "rabbitmq.memory": 2048, "rabbitmq.storage": 20}),
    "phase4-one-service": Variant("phase4", {"size": "standard", **ONE_SERVICE}, base="phase4-standard"),
    "phase4-move": grown(phase=3.0),
    "phase4-move-standard": grown({"size": "standard"}, base="phase4-move", phase=3.0),
    "phase4-route": grown(base="phase4-move", phase=4.0, growth="move"),
    "phase4-retire": grown(phase=4.0, growth="route"),
    "phase4-retire-standard": grown({"size": "standard"}, base="phase4-retire", phase=4.0, growth="route"),
    "phase4-remove": grown({"database.former_tables": "removed"}, base="phase4-retire", phase=4.0, growth="retire"),
    "phase4-grown": grown(phase=4.0, growth="remove"),
    "defaults": Variant("", base="phase1"),
    "prod": Variant("prod", base="phase2"),
    "staging": Variant("staging", base="phase2"),
    "phase1-storage": _of("phase1", {"database.storage": "25", "storage_class": "fast"}),
    "phase1-address": _of("phase1", {"node_port": "30123", "url": "http://tasks.example.com", "log_level": "debug"}),
    "phase1-gateway": _of(
        "phase1",
        {
            "hostname": "tasks.example.com",
            "gateway.enabled": "true",
            "gateway.certificate": "acme",
            "gateway.issuer": "letsencrypt-staging",
            "gateway.redirect_http": "true",
            "gateway.trusted_hops": "2",
        },
    ),
    "phase1-mail": _of("phase1", {**MAIL}),
    "phase1-telemetry": _of("phase1", {**TRACES, **ERRORS}),
    "phase1-logs": _of("phase1", {"logs.destination": "elasticsearch", "logs.endpoint": "https://logs.example.com"}),
    "phase1-logs-kept": Variant(
        "phase1",
        {
            "logs.destination": "elasticsearch",
            "logs.endpoint": "https://logs.example.com",
            "logs.retention": "false",
        },
        "phase1-logs",
    ),
    "phase1-postgresql-backups": Variant(
        "phase1",
        {"database.kind": "postgresql", "backups.bucket": "backups", "backups.folder": "prod/1"},
        "phase1-postgresql",
    ),
    "phase2-hostname": _of(
        "phase2",
        {
            "hostname": "tasks.example.com",
            "gateway.redirect_http": "true",
            "url": "",
            "url_tls": "",
            "gateway.load_balancing": "round-robin",
        },
    ),
    "phase2-gateway": _of(
        "phase2",
        {"gateway.class": "other", "gateway.namespace": "ingress", "gateway.port": "80", "gateway.port_tls": "443"},
    ),
    "phase2-kong": _of("phase2", {"gateway.kind": "kong", "gateway.load_balancing": "round-robin"}),
    "phase2-platform": _of("phase2", {"platform": "aws", "url": "", "url_tls": "", "storage_class": "fast"}),
    "phase2-provided": _of("phase2", {"secrets.source": "provided", "gateway.certificate": "provided"}),
    "phase2-digest": _of("phase2", {"image": f"ghcr.io/primetrade/task-manager@sha256:{ZONE * 2}"}),
    "phase2-database": _of(
        "phase2",
        {"database.durability": "preferred", "database.storage": "25", "database.operator_namespace": "postgres"},
    ),
    "phase2-sizes": _of("phase2", {**SIZES}),
    "phase2-mail": _of("phase2", {**MAIL}),
    "phase2-sms": _of(
        "phase2",
        {
            **MAIL,
            "mail.daily_limit": 20,
            "mail.ses_topic": "arn:aws:sns:eu-central-1:123456789012:bounces",
            "sms.provider": "sns",
            "sms.sender": "TASKS",
            "sms.region": "eu-central-1",
            "sms.countries": ["DE", "AT"],
            "sms.daily_limit": 5,
        },
    ),
    "phase4-sms": _of("phase4", {"sms.provider": "twilio", "sms.sender": "+15005550006"}),
    "phase2-telemetry": _of("phase2", {**TRACES, **ERRORS}),
    "phase2-backups": _of("phase2", {"backups.bucket": "backups", "monitoring.grafana": "true"}),
    "phase2-receivers": _of(
        "phase2",
        {
            **MAIL,
            "mail.port": "465",
            "alerts.page": "pagerduty,slack",
            "alerts.ticket": "email",
            "alerts.email": "team@example.com",
            "alerts.watchdog": "true",
            "alerts.watchdog_port": "8443",
        },
    ),
    "phase2-backups-irsa": Variant(
        "phase2",
        {
            "backups.bucket": "backups",
            "monitoring.grafana": "true",
            "backups.identity": "arn:aws:iam::123456789012:role/tasks-backups",
        },
        "phase2-backups",
    ),
    "phase2-edge": _of("phase2", {"cdn.kind": "edge"}),
    "phase2-cloudflare": _of("phase2", {**CLOUDFLARE}),
    "phase3-protected": _of(
        "phase3", {"protect_data": "true", "rollout_timeout": "600", "check_prerequisites": "false", "budget": "1000"}
    ),
    "phase3-no-cdn": _of("phase3", {"cdn.kind": "none"}),
    "phase3-cloudflare": _of("phase3", {**CLOUDFLARE}),
    "phase3-cloudflare-zone": Variant(
        "phase3", {**CLOUDFLARE, "cdn.zone_hosts": ["staging.example.com"]}, "phase3-cloudflare"
    ),
    "phase3-cloudflare-guest": Variant("phase3", {**CLOUDFLARE, "cdn.zone_rules": "false"}, "phase3-cloudflare"),
    "phase3-grafana": _of("phase3", {"monitoring.grafana": "true", "monitoring.alerts_port": "8443"}),
    "phase3-network": _of(
        "phase3",
        {
            "network.api_server": ["10.96.0.1", "192.0.2.0/28", "2001:db8::/64"],
            "network.api_server_ports": "443, 16443",
            "network.node_local_dns": ["169.254.20.11", "fd00:10::a"],
        },
    ),
    "phase3-monitoring-operator": _of(
        "phase3",
        {"monitoring.mode": "operator", "monitoring.namespace": "watch", "monitoring.release": "kube-prometheus-stack"},
    ),
    "phase3-logs-operator": _of("phase3", {"logs.destination": "operator", "logs.operator_namespace": "eck"}),
    "phase3-logs-provided": _of("phase3", {"logs.destination": "operator", "secrets.source": "provided"}),
    "phase3-vault": _of(
        "phase3",
        {
            "secrets.source": "vault",
            "secrets.address": "https://vault.example.com:8200",
            "secrets.authority": "vault-ca",
            "secrets.refresh": 60,
            "secrets.mount": "kv",
            "secrets.auth": "prod-cluster",
            "secrets.role": "tasks",
            "secrets.audience": "https://vault.example.com",
            "mail.host": "mail.example.com",
            "mail.user": "tasks",
            "mail.sender": "tasks@example.com",
        },
    ),
    "phase4-aws-secrets": _of(
        "phase4",
        {
            "secrets.source": "aws",
            "secrets.region": "eu-central-1",
            "secrets.identity": "arn:aws:iam::123456789012:role/task-manager-secrets",
            "secrets.prefix": "prod/tasks",
            "policies.production": "true",
            "policies.exceptions": [
                {
                    "rule": "backups",
                    "resource": "task-manager-database",
                    "reason": "The bucket comes with the next account.",
                    "until": "2100-01-01",
                }
            ],
        },
    ),
    "phase3-sizes": _of(
        "phase3",
        {
            **SIZES,
            "database.replica_poolers": 1,
            "cache.shards": 4,
            "cache.followers": 2,
            "monitoring.retention": 30,
            "monitoring.storage": 40,
        },
    ),
    "phase3-pull-secret": _of("phase3", {"images.pull_secret": "registry"}),
    "phase3-no-backups": _of("phase3", {"backups.bucket": ""}),
    "phase3-restored": _of("phase3", {"database.restores": [RESTORED]}),
    "phase3-restored-twice": _of(
        "phase3", {"database.restores": [RESTORED, "2030-02-02T03:04:00+00:00@2"], "protect_data": "true"}
    ),
    "phase3-restored-removed": _of("phase3", {"database.restores": [RESTORED], "database.retired_clusters": "removed"}),
}
