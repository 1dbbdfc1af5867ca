"""Typed settings of a stack: some of their own, the others by section (`sections.py`).

`Pulumi.yaml` and docs/settings.md are written from these models by `make settings`; a test keeps them current.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pulumi
from pydantic import Field, ValidationError, model_validator

from infra import phases
from infra.config import sections
from infra.config.image import IMAGE_VARIABLE, Image, default_reference, parse_image
from infra.config.phase_spec import Cdn, DatabaseKind, Edge, Phase, PostgreSQL
from infra.config.reading import read
from infra.config.restores import Restore, parse_restores
from infra.config.types import (
    ImageReference,
    LogDestination,
    LogLevel,
    MonitoringMode,
    Name,
    RetiredClusterPolicy,
    Url,
    port_of,
)
from infra.names import PROJECT, ClusterGeneration


class Settings(sections.Section):
    """All settings of a stack."""

    phase: int = Field(
        default=1,
        description="Row of the phase table: 1 (one instance), 2 (three instances behind a gateway) or 3 (autoscaled,"
        " replicas, shards).",
    )
    image: ImageReference = Field(
        default="",
        description="Image of the API, by digest or fixed tag. Empty: $TASK_MANAGER_IMAGE, else this version's.",
    )
    hostname: Name = Field(default="", description="Host name that the gateway answers for. Empty: any.")
    url: Url = Field(
        default="",
        description="Address that users open. Empty: the node port on this machine, or http:// and the hostname.",
    )
    url_tls: Url = Field(
        default="", description="The same by TLS, where there is a gateway. Empty: https:// and the hostname."
    )
    node_port: int = Field(
        default=30080, ge=30000, le=32767, description="Phase 1: port of each node that leads to the API."
    )
    database: sections.Database = Field(default_factory=sections.Database)
    backups: sections.Backups = Field(default_factory=sections.Backups)
    gateway: sections.Gateway = Field(default_factory=sections.Gateway)
    secrets: sections.Secrets = Field(default_factory=sections.Secrets)
    cdn: sections.CdnSection = Field(default_factory=sections.CdnSection)
    mail: sections.Mail = Field(default_factory=sections.Mail)
    monitoring: sections.Monitoring = Field(default_factory=sections.Monitoring)
    tracing: sections.Tracing = Field(default_factory=sections.Tracing)
    errors: sections.Errors = Field(default_factory=sections.Errors)
    logs: sections.Logs = Field(default_factory=sections.Logs)
    network: sections.Network = Field(default_factory=sections.Network)
    storage_class: Name = Field(default="", description="StorageClass of every volume. Empty: the cluster's default.")
    protect_data: bool = Field(
        default=True,
        description="Whether volumes and databases, and the namespace they are in, refuse to be destroyed.",
    )
    rollout_timeout: int = Field(
        default=300, ge=30, le=3600, description="Seconds that a release has to become ready before it goes back."
    )
    log_level: LogLevel = Field(default=LogLevel.INFO, description="debug, info, warning or error.")
    context: str = Field(default="", description="Context of the kubeconfig. Empty: its current one.")

    @property
    def row(self) -> Phase:
        """The phase's row in the table; a ValueError where there is none, which a validated model has ruled out."""
        return phases.phase(self.phase)

    @property
    def own_monitoring(self) -> bool:
        """Whether the stack has a Prometheus of its own."""
        return self.row.monitoring is not None and self.monitoring.mode is MonitoringMode.OWN

    @property
    def database_kind(self) -> DatabaseKind:
        """Where tasks are kept: as set, else the phase's own."""
        return self.database.kind or self.row.databases[0]

    @property
    def sqlite_storage(self) -> int:
        """Volume of the SQLite file, in GiB."""
        return self.database.storage or self.row.sqlite_storage

    @property
    def postgresql(self) -> PostgreSQL:
        """The database cluster of the phase, with volumes of the size that is set."""
        row = self.row.postgresql
        return replace(row, storage=self.database.storage or row.storage)

    @property
    def cdn_kind(self) -> Cdn:
        """Who keeps public answers: as set, else the phase's own."""
        return self.cdn.kind or self.row.cdns[0]

    @property
    def restored(self) -> tuple[Restore, ...]:
        """What the database was brought back to, the latest last."""
        return parse_restores(",".join(self.database.restores))

    @property
    def generation(self) -> ClusterGeneration:
        """The cluster that the stack runs on."""
        return ClusterGeneration(len(self.restored) + 1)

    @property
    def hibernated(self) -> tuple[ClusterGeneration, ...]:
        """The retired clusters that are kept, hibernated."""
        kept = self.database.retired_clusters is RetiredClusterPolicy.HIBERNATED
        return tuple(map(ClusterGeneration, range(1, self.generation.number))) if kept else ()

    def backup_port(self) -> int:
        """Port of the bucket's S3 interface."""
        return port_of(self.backups.endpoint)

    def logs_port(self) -> int:
        """Port of the Elasticsearch that is there."""
        return port_of(self.logs.endpoint)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.backups.bucket and self.database_kind is DatabaseKind.SQLITE:
            raise ValueError(
                f"{PROJECT}:backups.bucket: SQLite is not backed up: set {PROJECT}:database.kind to postgresql"
            )
        if self.database.restores and not self.backups.bucket:
            raise ValueError(
                f"{PROJECT}:database.restores: a restore reads from the bucket: set {PROJECT}:backups.bucket"
            )
        if self.database_kind not in self.row.databases:
            known = " or ".join(self.row.databases)
            raise ValueError(
                f"{PROJECT}:database.kind: phase {self.phase} cannot run on {self.database_kind}: set it to {known}"
            )
        if self.cdn_kind not in self.row.cdns:
            known = " or ".join(self.row.cdns)
            raise ValueError(
                f"{PROJECT}:cdn.kind: phase {self.phase} has nothing for {self.cdn_kind}: set it to {known}"
            )
        needed = {"hostname": self.hostname, "cdn.zone": self.cdn.zone, "cdn.origin": self.cdn.origin}
        missing = [key for key, value in needed.items() if not value]
        if self.cdn_kind is Cdn.CLOUDFLARE and missing:
            raise ValueError(f"{PROJECT}:cdn.kind: cloudflare needs to know more: set {' and '.join(missing)}")
        if self.logs.destination is LogDestination.ELASTICSEARCH and not self.logs.endpoint:
            raise ValueError(f"{PROJECT}:logs.destination: elasticsearch needs an address: set {PROJECT}:logs.endpoint")
        if self.logs.destination is LogDestination.OPERATOR and self.row.logs.store is None:
            raise ValueError(
                f"{PROJECT}:logs.destination: phase {self.phase} has nothing for operator: set it to elasticsearch"
            )
        if self.mail.host and not self.mail.sender:
            raise ValueError(f"{PROJECT}:mail.sender: {PROJECT}:mail.host needs a sender of mail: set it to an address")
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


def load_settings(config: Mapping[str, Any], secret: frozenset[str] = frozenset()) -> Settings:
    """Check a stack's whole configuration.

    Args:
        config: values by full key, such as `task-manager:phase`, as the engine hands them over: strings, and objects as
            JSON.
        secret: the keys whose values, or parts of them, are secret: messages do not show what they hold.

    Raises:
        pulumi.RunError: one line that names each wrong key, what is wrong with it and what to do. The engine prints
            such an error without a traceback and ends non-zero.
    """
    found = read(config, Settings, secret)
    problems = found.problems
    try:
        settings = Settings.model_validate(found.values)
    except ValidationError as error:
        problems += [found.sentence(problem) for problem in error.errors(include_url=False)]
    if problems:
        raise pulumi.RunError("configuration: " + "; ".join(problems))
    for line in found.deprecated:
        pulumi.log.warn(line)
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
