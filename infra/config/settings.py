"""Typed configuration of a stack.

`Pulumi.yaml` declares the same keys, types, defaults and descriptions, so that the engine and `pulumi config` know them
too; a test keeps the two alike.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pulumi
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from infra import phases
from infra.config.errors import sentence, unknown
from infra.config.image import IMAGE_VARIABLE, Image, default_reference, parse_image
from infra.config.phase_spec import Cdn, DatabaseKind, Edge, Phase, PostgreSQL
from infra.config.restores import Restore, parse_restores
from infra.config.types import (
    Collector,
    Durability,
    Former,
    ImageReference,
    LoadBalancing,
    LogLevel,
    LogsTo,
    Name,
    Origin,
    Ports,
    Restores,
    SmtpTls,
    Tls,
    Url,
    Watching,
    Zone,
    port_of,
)
from infra.names import PROJECT, Generation


class Settings(BaseModel):
    """What a stack can set. An empty string means "by the default that the description names"."""

    model_config = ConfigDict(frozen=True)

    phase: int = Field(
        1,
        description="Row of the phase table: 1 (one instance), 2 (three instances behind a gateway) or 3 (autoscaled,"
        " replicas, shards).",
    )
    image: ImageReference = Field(
        "", description="Image of the API, by digest or fixed tag. Empty: $TASK_MANAGER_IMAGE, else this version's."
    )
    database: DatabaseKind | None = Field(
        None, description="sqlite or postgresql. Empty: the phase's own (1: sqlite, then postgresql)."
    )
    database_durability: Durability = Field(
        Durability.REQUIRED,
        description="With a standby: required (a write waits until a standby has it, even if none is up) or preferred"
        " (writes go on without a standby, and those of that time are lost if the primary is lost too).",
    )
    database_storage: int = Field(
        0,
        ge=0,
        le=65536,
        description="GiB of each volume of the database; where the StorageClass lets volumes grow it can be raised at"
        " any time, and never lowered. 0: the phase's own.",
    )
    backup_bucket: Name = Field(
        "",
        description="Bucket that PostgreSQL's backups and write-ahead log go to; whom it knows is in the Secret"
        " task-manager-backups (access-key-id, secret-access-key, region). Empty: there are none.",
    )
    backup_endpoint: Url = Field("", description="Address of the bucket's S3 interface. Empty: Amazon's.")
    backup_folder: str = Field(
        "",
        pattern=r"^$|^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$",
        description="Folder in the bucket. Empty: the namespace's name and id, so that a stack that is made anew does"
        " not write into what is left of the one before it.",
    )
    restores: Restores = Field(
        "",
        description="Moments that the database was brought back to, as `make restore` writes them: each as"
        " 2030-01-02T03:04:05+00:00@1 (out of cluster 1), the latest last, separated by commas.",
    )
    former_databases: Former = Field(
        Former.ASLEEP,
        description="What becomes of clusters that a restore has replaced: asleep (volumes without pods) or removed.",
    )
    hostname: Name = Field("", description="Host name that the gateway answers for. Empty: any.")
    url: Url = Field(
        "", description="Address that users open. Empty: the node port on this machine, or http:// and the hostname."
    )
    url_tls: Url = Field("", description="The same by TLS, where there is a gateway. Empty: https:// and the hostname.")
    node_port: int = Field(30080, ge=30000, le=32767, description="Phase 1: port of each node that leads to the API.")
    load_balancing: LoadBalancing = Field(
        LoadBalancing.LEAST_LOADED, description="How the gateway picks a pod: least-loaded or round-robin."
    )
    gateway_class: Name = Field("traefik", min_length=1, description="GatewayClass that Traefik serves.")
    gateway_namespace: Name = Field("traefik", min_length=1, description="Namespace that Traefik runs in.")
    gateway_port: int = Field(
        8000, ge=1, le=65535, description="Port on which Traefik's pod listens for plain HTTP: its chart's `web`."
    )
    gateway_port_tls: int = Field(
        8443, ge=1, le=65535, description="Port on which Traefik's pod listens for TLS: its chart's `websecure`."
    )
    redirect_http: bool = Field(False, description="Whether the gateway sends plain HTTP on to url_tls.")
    tls: Tls = Field(
        Tls.SELF_SIGNED,
        description="self-signed (made in the cluster) or provided (the kubernetes.io/tls Secret task-manager-tls).",
    )
    secrets: Origin = Field(
        Origin.GENERATE,
        description="generate (random, made in the cluster, never seen here) or provided (they are there already).",
    )
    cdn: Cdn | None = Field(
        None,
        description="Who keeps public answers and static files: none, edge (Varnish in the cluster) or cloudflare."
        " Empty: the phase's own (3: edge, else none).",
    )
    cdn_zone: Zone = Field("", description="Cloudflare's identifier of the zone that the hostname is in.")
    cdn_origin: Name = Field(
        "", description="Host name or IPv4 address at which Cloudflare reaches the gateway's load balancer."
    )
    smtp_host: Name = Field("", description="Mail server. Empty: none are sent.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    smtp_user: str = Field(
        "",
        description="Whom the mail server knows; the password is `password` in the Secret task-manager-mail."
        " Empty: no log-in.",
    )
    smtp_tls: SmtpTls = Field(SmtpTls.STARTTLS, description="starttls or implicit (TLS from the first byte).")
    mail_from: str = Field("", description="Sender of mails, such as tasks@example.com.")
    operator_namespace: Name = Field(
        "cnpg-system", min_length=1, description="Namespace of the CloudNativePG operator."
    )
    adapter_namespace: Name = Field(
        "monitoring", min_length=1, description="Namespace of prometheus-adapter, which asks the stack's Prometheus."
    )
    monitoring: Watching = Field(
        Watching.OWN,
        description="In the phases that have it: own (servers of the stack's own) or operator (rules, dashboards and"
        " what to ask, as objects for the cluster's Prometheus operator and Grafana).",
    )
    monitoring_namespace: Name = Field("monitoring", min_length=1, description="With operator: its namespace.")
    monitoring_release: Name = Field("", description="With operator: the label `release` by which it selects, if any.")
    grafana: bool = Field(True, description="Whether Grafana shows the dashboards, in the phases that have monitoring.")
    alerts_port: int = Field(
        443,
        ge=1,
        le=65535,
        description="Port of the web hook that alerts go to. Its address is `url` in the Secret task-manager-alerts;"
        " without that they are only shown.",
    )
    traces_endpoint: Collector = Field(
        "",
        description="Who takes traces by OTLP over HTTP, such as http://collector.monitoring:4318; headers they ask for"
        " are `headers` in the Secret task-manager-traces. Empty: there are none.",
    )
    traces_percent: int = Field(100, ge=0, le=100, description="Percent of the traces that begin in the stack.")
    errors: bool = Field(
        False, description="Whether errors go to Sentry, at the address `dsn` in the Secret task-manager-sentry."
    )
    errors_port: int = Field(443, ge=1, le=65535, description="Port of that Sentry.")
    logs: LogsTo = Field(
        LogsTo.NONE,
        description="Where the pods' lines go: none (kubectl logs shows them), elasticsearch (one that is there; its"
        " API key is `api-key` in the Secret task-manager-logs of the namespace that ends in -logs) or operator (an"
        " Elasticsearch and a Kibana that the cluster's ECK operator makes; phase 3).",
    )
    logs_endpoint: Url = Field("", description="With elasticsearch: its address.")
    logs_operator_namespace: Name = Field(
        "elastic-system", min_length=1, description="With operator: the ECK operator's namespace."
    )
    api_server_ports: Ports = Field(
        "443,6443",
        description="Ports at which pods reach the Kubernetes API server: its Service's and the one behind it. A"
        " NetworkPolicy can name neither its address nor its pods.",
    )
    storage_class: Name = Field("", description="StorageClass of every volume. Empty: the cluster's default.")
    protect_data: bool = Field(
        True, description="Whether volumes and databases, and the namespace they are in, refuse to be destroyed."
    )
    rollout_timeout: int = Field(
        300, ge=30, le=3600, description="Seconds that a release has to become ready before it goes back."
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="debug, info, warning or error.")
    context: str = Field("", description="Context of the kubeconfig. Empty: its current one.")

    @property
    def row(self) -> Phase:
        """The phase's row in the table; a ValueError where there is none, which a validated model has ruled out."""
        return phases.phase(self.phase)

    @property
    def own_monitoring(self) -> bool:
        """Whether the stack has a Prometheus of its own."""
        return self.row.monitoring is not None and self.monitoring is Watching.OWN

    @property
    def database_kind(self) -> DatabaseKind:
        """Where tasks are kept: as set, else the phase's own."""
        return self.database or self.row.databases[0]

    @property
    def sqlite_storage(self) -> int:
        """Volume of the SQLite file, in GiB."""
        return self.database_storage or self.row.sqlite_storage

    @property
    def postgresql(self) -> PostgreSQL:
        """The database cluster of the phase, with volumes of the size that is set."""
        row = self.row.postgresql
        return replace(row, storage=self.database_storage or row.storage)

    @property
    def cdn_kind(self) -> Cdn:
        """Who keeps public answers: as set, else the phase's own."""
        return self.cdn or self.row.cdns[0]

    @property
    def restored(self) -> tuple[Restore, ...]:
        """What the database was brought back to, the latest last."""
        return parse_restores(self.restores)

    @property
    def generation(self) -> Generation:
        """The cluster that the stack runs on."""
        return Generation(len(self.restored) + 1)

    @property
    def asleep(self) -> tuple[Generation, ...]:
        """The clusters before it that are still there, without pods."""
        kept = self.former_databases is Former.ASLEEP
        return tuple(map(Generation, range(1, self.generation.number))) if kept else ()

    def backup_port(self) -> int:
        """Port of the bucket's S3 interface."""
        return port_of(self.backup_endpoint)

    def logs_port(self) -> int:
        """Port of the Elasticsearch that is there."""
        return port_of(self.logs_endpoint)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.backup_bucket and self.database_kind is DatabaseKind.SQLITE:
            raise ValueError(f"{PROJECT}:backup_bucket: SQLite is not backed up: set {PROJECT}:database to postgresql")
        if self.restores and not self.backup_bucket:
            raise ValueError(f"{PROJECT}:restores: a restore reads from the bucket: set {PROJECT}:backup_bucket")
        if self.database_kind not in self.row.databases:
            known = " or ".join(self.row.databases)
            raise ValueError(f"{PROJECT}:database: phase {self.phase} cannot run on {self.database}: set it to {known}")
        if self.cdn_kind not in self.row.cdns:
            known = " or ".join(self.row.cdns)
            raise ValueError(f"{PROJECT}:cdn: phase {self.phase} has nothing for {self.cdn}: set it to {known}")
        missing = [key for key in ("hostname", "cdn_zone", "cdn_origin") if not getattr(self, key)]
        if self.cdn_kind is Cdn.CLOUDFLARE and missing:
            raise ValueError(f"{PROJECT}:cdn: cloudflare needs to know more: set {' and '.join(missing)}")
        if self.logs is LogsTo.ELASTICSEARCH and not self.logs_endpoint:
            raise ValueError(f"{PROJECT}:logs: elasticsearch needs an address: set {PROJECT}:logs_endpoint")
        if self.logs is LogsTo.OPERATOR and self.row.logs.store is None:
            raise ValueError(f"{PROJECT}:logs: phase {self.phase} has nothing for operator: set it to elasticsearch")
        if self.smtp_host and not self.mail_from:
            raise ValueError(f"{PROJECT}:mail_from: mails of {self.smtp_host} need a sender: set it to an address")
        if self.row.edge is Edge.GATEWAY and not self.hostname and not (self.url and self.url_tls):
            raise ValueError(
                f"{PROJECT}:hostname: phase {self.phase} needs it, or both url and url_tls, for its address"
            )
        return self

    def addresses(self) -> tuple[str, str]:
        """Address for users in plain HTTP and by TLS; the latter is empty where nothing terminates TLS."""
        if self.row.edge is Edge.NODE_PORT:
            return self.url or f"http://127.0.0.1:{self.node_port}", ""
        return self.url or f"http://{self.hostname}", self.url_tls or f"https://{self.hostname}"

    def certificate_hosts(self) -> tuple[str, ...]:
        """Hosts that a self-signed certificate is made for."""
        return tuple(dict.fromkeys(host for host in (self.hostname, urlsplit(self.addresses()[1]).hostname) if host))


def load_settings(config: Mapping[str, Any]) -> Settings:
    """Check a stack's whole configuration.

    Args:
        config: values by full key, such as `task-manager:phase`, as the engine hands them over (all of them strings).

    Raises:
        pulumi.RunError: one line that names each wrong key, what is wrong with it and what to do. The engine prints
            such an error without a traceback and ends non-zero.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in sorted(config.items()):
        namespace, _, name = key.partition(":")
        if namespace == PROJECT and name in Settings.model_fields:
            if value != "":  # an empty value is the way to write "the default" in Pulumi.yaml
                values[name] = value
        elif namespace not in ("pulumi", "cloudflare"):  # the engine's own, such as pulumi:tags, and a provider's
            problems.append(unknown(key, Settings.model_fields))
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += [sentence(problem) for problem in error.errors(include_url=False)]
    if problems:
        raise pulumi.RunError("configuration: " + "; ".join(problems))
    return settings


def choose_image(settings: Settings, root: Path) -> Image:
    """The image to run: the stack's, else the environment's, else the one of the version in `pyproject.toml`.

    Args:
        root: the repository's top folder.

    Raises:
        pulumi.RunError: the environment names something that is no image.
    """
    try:
        return parse_image(settings.image or default_reference(root))
    except ValueError as error:
        raise pulumi.RunError(f"{IMAGE_VARIABLE}: {error}") from error
