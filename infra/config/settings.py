"""Typed settings of a stack: some of their own, the others by section (`sections.py`).

`Pulumi.yaml` and docs/settings.md are written from these models by `make settings`; a test keeps them current.
"""

import ipaddress
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urlsplit

import pulumi
from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, model_validator

from infra import phases
from infra.config import (
    combinations,
    database_sections,
    monitoring_sections,
    policy_sections,
    secret_sections,
    sections,
    size_combinations,
    size_sections,
    sizes,
)
from infra.config.gateways import InstalledGateway, installed_gateway
from infra.config.growth import FORMER_PHASE, Deployed, Growth
from infra.config.phase_spec import Broker, Cdn, DatabaseKind, Edge, Phase, Size
from infra.config.reading import paths_of, read
from infra.config.restores import Restore, parse_restores
from infra.config.service_sections import ServiceSettings
from infra.config.types import (
    FormerTables,
    GatewayKind,
    ImageReference,
    LogLevel,
    MeshKind,
    MonitoringMode,
    Name,
    RetiredClusterPolicy,
    Url,
    port_of,
)
from infra.names import ALL, PROJECT, ClusterGeneration


class Settings(sections.Section):
    """All settings of a stack."""

    phase: int = Field(
        default=1,
        description="Row of the phase table: 1 (one instance), 2 (three instances behind a gateway), 3 (autoscaled,"
        " replicas, shards) or 4 (a release and a database a service, events over RabbitMQ).",
    )
    size: Size = Field(
        default=Size.STANDARD,
        description="Column of the phase table: standard, or small (the smallest numbers that still show each mechanism"
        " of the phase).",
    )
    image: ImageReference = Field(
        default="",
        description="Image of the API, by digest or fixed tag. Empty: $TASK_MANAGER_IMAGE, else the one that the"
        " stack's last update recorded (output `image`), else this version's.",
    )
    hostname: Name = Field(default="", description="Host name that the gateway answers for. Empty: any.")
    url: Url = Field(
        default="",
        description="Address that users open. Empty: http:// and the hostname where there is a gateway, else the node"
        " port on this machine.",
    )
    url_tls: Url = Field(
        default="", description="The same by TLS, where there is a gateway. Empty: https:// and the hostname."
    )
    node_port: int = Field(
        default=30080,
        ge=30000,
        le=32767,
        description="Phase 1 without a gateway: port of each node that leads to the API.",
    )
    images: sections.Images = Field(default_factory=sections.Images)
    api: size_sections.Api = Field(default_factory=size_sections.Api)
    workers: size_sections.Workers = Field(default_factory=size_sections.Workers)
    database: database_sections.Database = Field(default_factory=database_sections.Database)
    cache: size_sections.Cache = Field(default_factory=size_sections.Cache)
    broker: size_sections.Broker = Field(default_factory=size_sections.Broker)
    rabbitmq: size_sections.RabbitMQ = Field(default_factory=size_sections.RabbitMQ)
    services: Mapping[str, ServiceSettings] = Field(
        default_factory=dict,
        description="Sizes and log level of each service of phase 4 by itself, before those of all.",
    )
    backups: database_sections.Backups = Field(default_factory=database_sections.Backups)
    gateway: sections.Gateway = Field(default_factory=sections.Gateway)
    mesh: sections.Mesh = Field(default_factory=sections.Mesh)
    secrets: secret_sections.Secrets = Field(default_factory=secret_sections.Secrets)
    cdn: sections.CdnSection = Field(default_factory=sections.CdnSection)
    mail: sections.Mail = Field(default_factory=sections.Mail)
    sms: sections.Sms = Field(default_factory=sections.Sms)
    monitoring: monitoring_sections.Monitoring = Field(default_factory=monitoring_sections.Monitoring)
    alerts: monitoring_sections.Alerts = Field(default_factory=monitoring_sections.Alerts)
    tracing: monitoring_sections.Tracing = Field(default_factory=monitoring_sections.Tracing)
    errors: monitoring_sections.Errors = Field(default_factory=monitoring_sections.Errors)
    logs: monitoring_sections.Logs = Field(default_factory=monitoring_sections.Logs)
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
    budget: int = Field(
        default=0,
        ge=0,
        description="Most that the stack and its platform may cost a month, in US dollars by list price: `make preview`"
        " and `make deploy` stop beyond it. 0: no limit.",
    )
    policies: policy_sections.Policies = Field(default_factory=policy_sections.Policies)
    check_prerequisites: bool = Field(
        default=True,
        description="Whether preview and up ask the cluster first for what the phase stands on: operators, APIs, their"
        " versions, classes.",
    )
    context: str = Field(
        default="", description="Context of the kubeconfig. Empty: that of `kubernetes:context`, else its current one."
    )
    platform: str = Field(
        default="",
        pattern=r"^$|^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+){0,2}$",
        description="Stack of infra/platform that the cluster was made ready by, by its name or as"
        " organization/project/stack: settings that are not set here come from its outputs. Empty: none.",
    )
    _deployed: Deployed = PrivateAttr(default=Deployed())

    @property
    def growth(self) -> Growth | None:
        """Step of a growth from one database for all services to one each; None without one."""
        growth = self._deployed.growth
        if growth is Growth.REMOVE and self.database.former_tables is FormerTables.KEPT:
            return Growth.RETIRE
        return growth

    @property
    def former(self) -> Self:
        """The settings in the phase that the stack grows out of."""
        return self.model_copy(update={"phase": FORMER_PHASE})

    @property
    def former_release(self) -> bool:
        """Whether the release of all services in one process is there too, while services grow out of it."""
        return self.growth is not None and self.growth.former_serves

    @property
    def broker_row(self) -> Broker | None:
        """The broker of jobs, that of the former release among them."""
        return self.row.broker or (self.former.row.broker if self.former_release else None)

    @property
    def public_url(self) -> str:
        """Address for links: by TLS, where there is one."""
        plain, tls = self.addresses()
        return tls or plain

    @property
    def releases(self) -> tuple[str, ...]:
        """Services of all releases that answer requests, that of the former phase among them."""
        return (*((ALL,) if self.former_release else ()), *self.row.services)

    @property
    def events_by_rabbitmq(self) -> bool:
        """Whether events go through RabbitMQ: also those of the release that services grow out of."""
        return self.row.rabbitmq is not None or self.growth is not None

    @property
    def row(self) -> Phase:
        """The phase's row with the sizes that the stack sets; a ValueError where there is no such phase."""
        return sizes.resized(phases.phase(self.phase, self.size), self)

    def log_level_of(self, service: str) -> LogLevel:
        """Level of a service's log: its own, else that of all."""
        own = self.services.get(service)
        return (own and own.log_level) or self.log_level

    @property
    def edge(self) -> Edge:
        """Entry point of requests: as set, else the phase's own."""
        return Edge.GATEWAY if self.gateway.enabled else self.row.edge

    @property
    def gateway_kind(self) -> GatewayKind:
        """Implementation of the Gateway: as set, else the one that is there, else that of the mesh.

        Another one has another address, so no update changes it by itself.
        """
        of_mesh = GatewayKind.ISTIO if self.meshed else GatewayKind.TRAEFIK
        return self.gateway.kind or self._deployed.gateway or of_mesh

    @property
    def meshed(self) -> bool:
        """Whether servers have sidecars: as set, else where the phase has a mesh, which the gateway is part of."""
        if self.mesh.kind is not None:
            return self.mesh.kind is MeshKind.ISTIO
        return self.row.mesh is not None and (self.gateway.kind or self._deployed.gateway) in (None, GatewayKind.ISTIO)

    @property
    def installed_gateway(self) -> InstalledGateway:
        """The cluster's own gateway that serves the stack: Traefik or Kong."""
        return installed_gateway(self.gateway_kind, self.gateway)

    @property
    def own_monitoring(self) -> bool:
        """Whether the stack has a Prometheus of its own."""
        return self.row.monitoring is not None and self.monitoring.mode is MonitoringMode.OWN

    @property
    def database_kind(self) -> DatabaseKind:
        """Where tasks are kept: as set, else the phase's own."""
        return self.database.kind or self.row.databases[0]

    @property
    def cdn_kind(self) -> Cdn:
        """Who keeps public answers: as set, else the phase's own; nobody in a mesh, where Varnish has no sidecar."""
        return self.cdn.kind or (Cdn.NONE if self.meshed else self.row.cdns[0])

    @property
    def restored(self) -> tuple[Restore, ...]:
        """What the database was brought back to, the latest last."""
        return parse_restores(",".join(self.database.restores))

    @property
    def generation(self) -> ClusterGeneration:
        """The cluster that the stack runs on."""
        return ClusterGeneration(len(self.restored) + 1)

    def cluster_of(self, service: str) -> ClusterGeneration:
        """The cluster that a service's database is in."""
        return ClusterGeneration(service=service) if self.row.own_clusters else self.generation

    @property
    def clusters(self) -> tuple[ClusterGeneration, ...]:
        """The clusters that the stack runs on, where it runs on PostgreSQL."""
        return tuple(dict.fromkeys(map(self.cluster_of, self.row.services)))

    @property
    def running_clusters(self) -> tuple[ClusterGeneration, ...]:
        """`clusters`, and the one that services grow out of, as long as the former release runs on it."""
        former = (self.former.generation,) if self.former_release else ()
        return tuple(dict.fromkeys((*self.clusters, *former)))

    @property
    def hibernated(self) -> tuple[ClusterGeneration, ...]:
        """The retired clusters that are kept, hibernated."""
        kept = self.database.retired_clusters is RetiredClusterPolicy.HIBERNATED
        return tuple(map(ClusterGeneration, range(1, self.generation.number))) if kept else ()

    @property
    def left_cluster(self) -> ClusterGeneration | None:
        """The cluster that services have grown out of and left, hibernated until its tables are dropped."""
        former = self.former.generation if self.growth is Growth.RETIRE else None
        return None if former in self.clusters else former

    def backup_port(self) -> int:
        """Port of the bucket's S3 interface."""
        return port_of(self.backups.endpoint)

    def logs_port(self) -> int:
        """Port of the Elasticsearch that is there."""
        return port_of(self.logs.endpoint)

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Self:
        self._deployed = info.context or Deployed()
        if problems := [*combinations.problems(self), *size_combinations.problems(self)]:
            raise ValueError("; ".join(problems))
        return self

    def addresses(self) -> tuple[str, str]:
        """Address for users in plain HTTP and by TLS; the latter is empty where nothing terminates TLS."""
        if self.edge is Edge.NODE_PORT:
            return self.url or f"http://127.0.0.1:{self.node_port}", ""
        return self.url or f"http://{self.hostname}", self.url_tls or f"https://{self.hostname}"

    def cloudflare_hosts(self) -> tuple[str, ...]:
        """Hosts that Cloudflare's rules of this stack are for: none where another stack holds the zone's."""
        return tuple(dict.fromkeys((self.hostname, *self.cdn.zone_hosts))) if self.cdn.zone_rules else ()

    def certificate_hosts(self) -> tuple[str, ...]:
        """Hosts that a self-signed certificate is made for."""
        return tuple(dict.fromkeys(host for host in (self.hostname, urlsplit(self.addresses()[1]).hostname) if host))


def _no_platform(stack: str) -> Mapping[str, Any]:
    raise ValueError(f"{PROJECT}:platform: the outputs of {stack} cannot be read here")


def load_settings(
    config: Mapping[str, Any],
    secret: frozenset[str] = frozenset(),
    platform_settings: Callable[[str], Mapping[str, Any]] = _no_platform,
    recorded: Mapping[str, Any] = MappingProxyType({}),
) -> Settings:
    """Check a stack's whole configuration.

    Args:
        config: values by full key, such as `task-manager:phase`, as the engine hands them over: strings, and objects as
            JSON.
        secret: the keys whose values, or parts of them, are secret: messages do not show what they hold.
        platform_settings: gives what a platform's stack offers, by path; what the stack says itself goes before.
        recorded: outputs of the stack's last update, by name.

    Raises:
        pulumi.RunError: one line that names each wrong key, what is wrong with it and what to do. The engine prints
            such an error without a traceback and ends non-zero.
    """
    found = read(config, Settings, secret)
    problems = found.problems
    if platform := found.values.get("platform"):
        try:
            offered = platform_settings(str(platform))
        except ValueError as error:  # what it would have offered is not missing: nothing more can be said
            raise pulumi.RunError("configuration: " + "; ".join([*problems, str(error)])) from error
        for path in paths_of(Settings):
            if path in offered and path not in found.written:
                found.set(tuple(path.split(".")), offered[path])
    try:
        settings = Settings.model_validate(found.values, context=_deployed(found.values, recorded))
    except ValidationError as error:
        problems += [found.sentence(problem) for problem in error.errors(include_url=False)]
    if problems:
        raise pulumi.RunError("configuration: " + "; ".join(problems))
    for line in (*found.deprecated, *plain_text_warnings(settings)):
        pulumi.log.warn(line)
    return settings


def _deployed(values: Mapping[str, Any], recorded: Mapping[str, Any]) -> Deployed:
    """Return what the last update has left, as far as the settings say which phase they are for."""
    chosen = str(values.get("phase", ""))
    if not chosen.isdigit() or int(chosen) not in phases.PHASES:
        return Deployed()
    try:
        return Deployed.recorded(int(chosen), recorded)
    except ValueError as error:
        raise pulumi.RunError(f"{phases.PHASE_KEY}: {error}") from error


def plain_text_warnings(settings: Settings) -> list[str]:
    """A line where passwords may travel without TLS to a host that is not this machine."""
    url = urlsplit(settings.addresses()[0])
    host = settings.hostname or url.hostname or ""
    if url.scheme == "https" or _is_loopback(host):
        return []
    if settings.edge is Edge.NODE_PORT:
        remedy = f"{PROJECT}:gateway.enabled to true and {PROJECT}:gateway.certificate to acme"
        return [f"{host}: passwords travel in plain text: set {remedy}, or {PROJECT}:url to a proxy's https:// address"]
    if not settings.gateway.redirect_http and settings.cdn_kind is not Cdn.CLOUDFLARE:
        return [f"{host}: plain HTTP is served, with passwords in it: set {PROJECT}:gateway.redirect_http to true"]
    return []


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
