"""Sections of what watches a stack: monitoring, alerts, traces, error reports and logs."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from infra.config.sections import Section
from infra.config.types import (
    Collector,
    LogDestination,
    MonitoringMode,
    Name,
    Receiver,
    Recipients,
    Storage,
    Url,
    split_receivers,
)


class Monitoring(Section):
    """Metrics, dashboards and alerts, in the phases that have them."""

    mode: MonitoringMode = Field(
        default=MonitoringMode.OWN,
        description="own (servers of the stack's own) or operator (rules, dashboards and PodMonitors, as objects for"
        " the cluster's Prometheus operator and Grafana).",
    )
    namespace: Name = Field(default="monitoring", min_length=1, description="With operator: its namespace.")
    release: Name = Field(default="", description="With operator: the label `release` by which it selects, if any.")
    grafana: bool = Field(default=True, description="Whether the stack has a Grafana with its dashboards.")
    retention: Annotated[int, Field(ge=1, le=3650)] | None = Field(
        default=None,
        description="With own: days that Prometheus keeps samples, as long as they fit the volume. Empty: the phase's"
        " own (15).",
    )
    storage: Storage | None = Field(
        default=None,
        description="With own: GiB of Prometheus's volume; it can grow, and never shrink. Empty: the phase's own (10).",
    )
    alerts_port: int = Field(
        default=443,
        ge=1,
        le=65535,
        description="Port of the web hook for alerts. Its address is `url` in the Secret task-manager-alerts; without"
        " that they are only shown.",
    )
    adapter_namespace: Name = Field(
        default="monitoring",
        min_length=1,
        description="Namespace of prometheus-adapter, which queries the stack's Prometheus.",
    )


class Alerts(Section):
    """Receivers of alerts, where the stack has an Alertmanager of its own."""

    page: Annotated[tuple[Receiver, ...], BeforeValidator(split_receivers)] = Field(
        default=(Receiver.WEBHOOK,),
        description="Receivers of pages: a list of webhook, slack, pagerduty and email. Their keys in the Secret"
        " task-manager-alerts are `url`, `slack-url` (an incoming web hook) and `pagerduty-key` (the routing key of an"
        " Events API v2 integration).",
    )
    ticket: Annotated[tuple[Receiver, ...], BeforeValidator(split_receivers)] = Field(
        default=(Receiver.WEBHOOK,), description="Receivers of tickets: a list of the same."
    )
    email: Recipients = Field(
        default="",
        description="With email: recipients, separated by commas. The mails are sent by `mail.host`.",
    )
    watchdog: bool = Field(
        default=False,
        description="Whether the alert Watchdog, which always fires, calls each minute the web hook whose address is"
        " `watchdog-url` in the Secret task-manager-alerts: a service that raises an alarm when the calls stop.",
    )
    watchdog_port: int = Field(default=443, ge=1, le=65535, description="Port of that web hook.")


class Tracing(Section):
    """Traces by OpenTelemetry."""

    endpoint: Collector = Field(
        default="",
        description="OTLP collector over HTTP, such as http://collector.monitoring:4318; headers that it needs are"
        " `headers` in the Secret task-manager-traces. Empty: no traces.",
    )
    percent: int = Field(default=100, ge=0, le=100, description="Percent of the traces that are sampled.")


class Errors(Section):
    """Error reports to Sentry."""

    enabled: bool = Field(
        default=False,
        description="Whether errors go to Sentry, at the address `dsn` in the Secret task-manager-sentry.",
    )
    port: int = Field(default=443, ge=1, le=65535, description="Port of that Sentry.")


class Logs(Section):
    """Shipping of logs."""

    destination: LogDestination = Field(
        default=LogDestination.NONE,
        description="none (`kubectl logs` shows them), elasticsearch (an existing one; its API key is `api-key` in the"
        " Secret task-manager-logs of the namespace that ends in -logs) or operator (an Elasticsearch and a Kibana that"
        " the cluster's ECK operator makes; phase 3).",
    )
    endpoint: Url = Field(default="", description="With elasticsearch: its address.")
    retention: bool = Field(
        default=True,
        description="Whether Elasticsearch deletes lines after the phase's days, which takes its version 8.14 or later."
        " false (7.17 or later): whoever runs it rolls the data stream over and deletes former indices.",
    )
    operator_namespace: Name = Field(
        default="elastic-system", min_length=1, description="With operator: the ECK operator's namespace."
    )
