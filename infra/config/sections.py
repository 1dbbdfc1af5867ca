"""Sections of a stack's settings: one model each, whose fields are described here and nowhere else."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from infra.config.phase_spec import Cdn
from infra.config.types import (
    Addresses,
    GatewayKind,
    LoadBalancing,
    MeshKind,
    Name,
    Networks,
    NodePort,
    Port,
    Ports,
    SmsProvider,
    SmtpTls,
    Tls,
    Zone,
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


class Gateway(Section):
    """The Gateway: from phase 2 on, and in phase 1 by setting."""

    enabled: bool | None = Field(
        default=None,
        description="Whether requests come through a Gateway, with TLS. Empty: the phase's own (1: no, else yes).",
    )
    kind: GatewayKind | None = Field(
        default=None,
        description="Implementation of the Gateway: traefik, kong, or in phase 4 istio (an API gateway: tokens, limits,"
        " retries and circuit breakers before the services). Empty: istio where the mesh is, else traefik.",
    )
    class_name: Name = Field(
        default="", alias="class", description="GatewayClass of Traefik or Kong. Empty: traefik or kong."
    )
    namespace: Name = Field(default="", description="Namespace of Traefik or Kong. Empty: traefik or kong.")
    port: Port | None = Field(
        default=None,
        description="Port for plain HTTP: of Traefik's pod (its chart's `web`) or of Kong's proxy Service. Empty: 8000,"
        " with kong 80.",
    )
    port_tls: Port | None = Field(
        default=None,
        description="Port for TLS: of Traefik's pod (its chart's `websecure`) or of Kong's proxy Service. Empty: 8443,"
        " with kong 443.",
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
    token_keys: tuple[Annotated[Name, Field(min_length=1)], ...] = Field(
        default=(),
        description="With kong: a list of Secrets in the stack's namespace with public keys of access tokens"
        " (docs/edge.md writes them). With them the gateway refuses bad tokens; empty: the services alone do.",
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
