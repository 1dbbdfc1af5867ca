"""Keys of the release before sections: still read for one release, each with a warning that names its new path."""

from collections.abc import Mapping
from typing import Any, Final

FLAT_KEYS: Final[Mapping[str, str]] = {
    "database": "database.kind",
    "database_durability": "database.durability",
    "database_storage": "database.storage",
    "operator_namespace": "database.operator_namespace",
    "restores": "database.restores",
    "former_databases": "database.retired_clusters",
    "backup_bucket": "backups.bucket",
    "backup_endpoint": "backups.endpoint",
    "backup_folder": "backups.folder",
    "load_balancing": "gateway.load_balancing",
    "gateway_class": "gateway.class",
    "gateway_namespace": "gateway.namespace",
    "gateway_port": "gateway.port",
    "gateway_port_tls": "gateway.port_tls",
    "redirect_http": "gateway.redirect_http",
    "tls": "gateway.certificate",
    "secrets": "secrets.source",
    "cdn": "cdn.kind",
    "cdn_zone": "cdn.zone",
    "cdn_origin": "cdn.origin",
    "smtp_host": "mail.host",
    "smtp_port": "mail.port",
    "smtp_user": "mail.user",
    "smtp_tls": "mail.tls",
    "mail_from": "mail.sender",
    "monitoring": "monitoring.mode",
    "monitoring_namespace": "monitoring.namespace",
    "monitoring_release": "monitoring.release",
    "adapter_namespace": "monitoring.adapter_namespace",
    "grafana": "monitoring.grafana",
    "alerts_port": "monitoring.alerts_port",
    "traces_endpoint": "tracing.endpoint",
    "traces_percent": "tracing.percent",
    "errors": "errors.enabled",
    "errors_port": "errors.port",
    "logs": "logs.destination",
    "logs_endpoint": "logs.endpoint",
    "logs_operator_namespace": "logs.operator_namespace",
    "api_server_ports": "network.api_server_ports",
}
"""Path of the setting by its former key. Where key and section have one name, a scalar is the former form."""

_RENAMED_VALUES: Final = {("former_databases", "asleep"): "hibernated"}


def value_of(key: str, value: Any) -> Any:
    """Return the value that a former key's value has today."""
    return _RENAMED_VALUES.get((key, value), value)


def as_text(value: Any) -> str:
    """Return a value as a flat key would write it, to compare the two forms."""
    if isinstance(value, list | tuple):
        return ",".join(map(as_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
