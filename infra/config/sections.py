"""Sections of a stack's settings: one model each, whose fields are described here and nowhere else."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from infra.config.phase_spec import Cdn, DatabaseKind
from infra.config.types import (
    Addresses,
    Cpu,
    Durability,
    FormerTables,
    GatewayKind,
    IdentityName,
    LoadBalancing,
    MeshKind,
    Name,
    Networks,
    NodePort,
    Ports,
    RestoreEntry,
    RetiredClusterPolicy,
    SecretSource,
    SmsProvider,
    SmtpTls,
    Tls,
    Url,
    Zone,
    split_restores,
)


class Section(BaseModel):
    """An object of settings. An empty string means "by the default that the description names"."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Images(Section):
    """Pull of container images."""

    pull_secret: Name = Field(
        default="",
        description="Secret of type kubernetes.io/dockerconfigjson by which every pod pulls its image; where logs are"
        " shipped, in the namespace that ends in -logs too. Empty: none.",
    )


class Database(Section):
    """The database and its clusters."""

    kind: DatabaseKind | None = Field(
        default=None, description="sqlite or postgresql. Empty: the phase's own (1: sqlite, then postgresql)."
    )
    durability: Durability = Field(
        default=Durability.REQUIRED,
        description="With a standby: required (a write waits until a standby has it, even if none is up) or preferred"
        " (writes go on without a standby, and those of that time are lost if the primary is lost too).",
    )
    instances: Annotated[int, Field(ge=1, le=9)] | None = Field(
        default=None,
        description="PostgreSQL's servers: the primary and its standbys. Empty: the phase's own (1: 1, 2: 2, 3 to 4:"
        " 4).",
    )
    cpu: Cpu | None = Field(
        default=None, description="CPU request of each server, in millicores. Empty: the phase's own (150)."
    )
    memory: Annotated[int, Field(ge=256, le=1_048_576)] | None = Field(
        default=None,
        description="Memory of each server, in MiB: request and limit, and what its buffers are derived from. Empty:"
        " the phase's own (512).",
    )
    storage: int = Field(
        default=0,
        ge=0,
        le=65536,
        description="GiB of each volume of the database; where the StorageClass lets volumes grow it can be raised at"
        " any time, and never lowered. 0: the phase's own (1: 5, 2 to 4: 10).",
    )
    wal_storage: int = Field(
        default=0,
        ge=0,
        le=65536,
        description="GiB of a volume of its own for each server's write-ahead log. It can be added and raised at any"
        " time, and neither lowered nor taken away. 0: the log is on the volume of the data.",
    )
    poolers: Annotated[int, Field(ge=0, le=8)] | None = Field(
        default=None,
        description="PgBouncer's pods before the primary; 0 for none. Empty: the phase's own (1: 0, 2 to 4: 2).",
    )
    replica_poolers: Annotated[int, Field(ge=0, le=8)] | None = Field(
        default=None,
        description="PgBouncer's pods before the standbys; 0 keeps all reads on the primary. Empty: the phase's own (3"
        " to 4: 2, else 0).",
    )
    operator_namespace: Name = Field(
        default="cnpg-system", min_length=1, description="Namespace of the CloudNativePG operator."
    )
    restores: Annotated[tuple[RestoreEntry, ...], BeforeValidator(split_restores)] = Field(
        default=(),
        description="Moments that the database was restored to, as `make restore` writes them: a list, the latest last,"
        " each as 2030-01-02T03:04:05+00:00@1 (out of cluster 1).",
    )
    retired_clusters: RetiredClusterPolicy = Field(
        default=RetiredClusterPolicy.HIBERNATED,
        description="What a restore does with the cluster that it replaces: hibernated (its volumes are kept, without"
        " pods) or removed.",
    )
    former_tables: FormerTables = Field(
        default=FormerTables.KEPT,
        description="From phase 4 on, what happens to the tables that services have left behind in the database of"
        " phase 3: kept (read-only) or removed.",
    )


class Backups(Section):
    """Backups of PostgreSQL."""

    bucket: Name = Field(
        default="",
        description="Bucket for PostgreSQL's backups and write-ahead log; its credentials are in the Secret"
        " task-manager-backups (access-key-id, secret-access-key, region), unless there is an identity. Empty: no"
        " backups.",
    )
    endpoint: Url = Field(
        default="",
        description="Address of the bucket's S3 interface, or of the storage account with an identity of Azure. Empty:"
        " Amazon's.",
    )
    identity: IdentityName = Field(
        default="",
        description="Workload identity that may use the bucket, in place of keys: the ARN of an IAM role for the"
        " ServiceAccount (EKS), pod-identity (EKS Pod Identity), the e-mail address of a Google service account (GKE;"
        " the bucket is Google's) or the client ID of a managed identity (AKS; the bucket is a container).",
    )
    folder: str = Field(
        default="",
        pattern=r"^$|^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$",
        description="Folder in the bucket. Empty: the namespace's name and id, so that a stack that is made anew does"
        " not write into what is left of the one before it.",
    )
    waived: bool = Field(
        default=False,
        description="Whether the stack goes without backups on purpose: without a bucket, each update from phase 2 on"
        " warns otherwise.",
    )


class Gateway(Section):
    """The Gateway: from phase 2 on, and in phase 1 by setting."""

    enabled: bool | None = Field(
        default=None,
        description="Whether requests come through a Gateway, with TLS. Empty: the phase's own (1: no, else yes).",
    )
    kind: GatewayKind | None = Field(
        default=None,
        description="Implementation of the Gateway: traefik, or in phase 4 istio (an API gateway: tokens, limits,"
        " retries and circuit breakers before the services). Empty: istio where the mesh is, else traefik.",
    )
    class_name: Name = Field(
        default="traefik", alias="class", min_length=1, description="GatewayClass that Traefik serves."
    )
    namespace: Name = Field(default="traefik", min_length=1, description="Namespace that Traefik runs in.")
    port: int = Field(
        default=8000,
        ge=1,
        le=65535,
        description="Port on which Traefik's pod listens for plain HTTP: its chart's `web`.",
    )
    port_tls: int = Field(
        default=8443,
        ge=1,
        le=65535,
        description="Port on which Traefik's pod listens for TLS: its chart's `websecure`.",
    )
    node_port: NodePort | None = Field(
        default=None,
        description="With istio: port of each node that leads to the gateway's plain HTTP, in place of a load balancer."
        " Empty: by Istio's gateway class, which says what its Service is.",
    )
    node_port_tls: NodePort | None = Field(default=None, description="With istio: the same for TLS.")
    redirect_http: bool = Field(default=False, description="Whether plain HTTP is redirected to url_tls.")
    certificate: Tls = Field(
        default=Tls.SELF_SIGNED,
        description="self-signed (made in the cluster), acme (cert-manager gets and renews it) or provided (the"
        " kubernetes.io/tls Secret task-manager-tls).",
    )
    issuer: Name = Field(
        default="letsencrypt", min_length=1, description="With acme: the ClusterIssuer of cert-manager that is asked."
    )
    load_balancing: LoadBalancing = Field(
        default=LoadBalancing.LEAST_LOADED, description="Load-balancing strategy: least-loaded or round-robin."
    )
    trusted_hops: int | None = Field(
        default=None,
        ge=0,
        le=10,
        description="Number of addresses at the end of X-Forwarded-For that proxies of yours have written; the first of"
        " them is the client's. Empty: 1 for the gateway, 2 with Cloudflare before it, 0 at a node port.",
    )


class Mesh(Section):
    """The service mesh between the gateway and the services."""

    kind: MeshKind | None = Field(
        default=None,
        description="Service mesh: none, or in phase 4 istio (a sidecar beside each server: mutual TLS, and an"
        " AuthorizationPolicy for each flow). Empty: the phase's own (4: istio, else none).",
    )
    namespace: Name = Field(
        default="istio-system", min_length=1, description="With istio, gateway or mesh: namespace of its control plane."
    )


class CdnSection(Section):
    """The CDN for public responses and static files."""

    kind: Cdn | None = Field(
        default=None,
        description="CDN for public responses and static files: none, edge (Varnish in the cluster) or cloudflare."
        " Empty: the phase's own (3 to 4: edge, else none), none in a mesh.",
    )
    zone: Zone = Field(default="", description="Cloudflare's identifier of the zone that the hostname is in.")
    origin: Name = Field(
        default="", description="Host name or IPv4 address at which Cloudflare reaches the gateway's load balancer."
    )
    zone_rules: bool = Field(
        default=True,
        description="Whether this stack holds Cloudflare's rules of the zone, which has one set of them: of several"
        " stacks in a zone one says true.",
    )
    zone_hosts: tuple[Annotated[Name, Field(min_length=1)], ...] = Field(
        default=(),
        description="With zone_rules: a list of the hostnames of the zone's other stacks, which get the same rules.",
    )


class Mail(Section):
    """Outgoing mail."""

    host: Name = Field(default="", description="SMTP server. Empty: no mail is sent.")
    port: int = Field(default=587, ge=1, le=65535, description="Port of the SMTP server.")
    user: str = Field(
        default="",
        description="User at the SMTP server; the password is `password` in the Secret task-manager-mail."
        " Empty: no log-in.",
    )
    tls: SmtpTls = Field(default=SmtpTls.STARTTLS, description="starttls or implicit (TLS from the first byte).")
    sender: str = Field(default="", description="Sender of mail, such as tasks@example.com.")
    daily_limit: int = Field(
        default=50,
        ge=1,
        le=10_000,
        description="Notifications by mail to a user in 24 hours; what is above stays in the app.",
    )
    ses_topic: str = Field(
        default="",
        pattern=r"^(arn:aws(-[a-z-]+)?:sns:[a-z0-9-]{1,40}:[0-9]{12}:[A-Za-z0-9_-]{1,256})?$",
        description="ARN of the SNS topic by which Amazon SES reports bounces and complaints. Empty: none. Postmark"
        " reports them where the Secret task-manager-mail has a `bounce-password`.",
    )


class Sms(Section):
    """Notifications by SMS."""

    provider: SmsProvider = Field(
        default=SmsProvider.NONE,
        description="none, twilio or sns (Amazon SNS). Its account and secret are `account` and `secret` in the Secret"
        " task-manager-sms: Twilio's account SID and auth token, or AWS's access key id and secret key.",
    )
    sender: str = Field(
        default="",
        max_length=40,
        description="twilio: a number in E.164, or the SID of a messaging service. sns: a sender id, or none.",
    )
    region: Name = Field(default="us-east-1", description="AWS region of SNS.")
    countries: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = Field(
        default=(),
        description="ISO codes of the countries whose numbers are accepted, as a list. Empty: all of them, which"
        " invites whoever earns by messages to expensive numbers.",
    )
    daily_limit: int = Field(default=10, ge=1, le=1000, description="Notifications by SMS to a user in 24 hours.")


class Network(Section):
    """Addresses that the network policies name."""

    api_server: Networks = Field(
        default=(),
        description="Address blocks of the Kubernetes API server: those that `kubectl get endpointslices --namespace"
        " default` shows, and that of the Service `kubernetes`. Empty: its ports are open at any address.",
    )
    api_server_ports: Ports = Field(
        default=(443, 6443),
        description="Ports at which pods reach the Kubernetes API server: its Service's and the one behind it.",
    )
    node_local_dns: Addresses = Field(
        default=("169.254.20.10",),
        description="Addresses of NodeLocal DNSCache, where the cluster has it: pods may resolve names there, and in"
        " kube-system. A list without any ([]) for kube-system alone.",
    )


class Secrets(Section):
    """Secrets of the stack."""

    source: SecretSource = Field(
        default=SecretSource.GENERATE,
        description="generate (random, made in the cluster, never seen by the program) or provided (they exist).",
    )
