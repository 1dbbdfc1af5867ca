"""Configuration types: enumerations, and strings of a checked form."""

import re
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from infra.config.identities import parse_identity
from infra.config.image import parse_image
from infra.config.restores import parse_restores


class LoadBalancing(StrEnum):
    """Load-balancing strategy of the gateway."""

    LEAST_LOADED = "least-loaded"
    ROUND_ROBIN = "round-robin"


class GatewayKind(StrEnum):
    """Implementation of the Gateway."""

    TRAEFIK = "traefik"
    ISTIO = "istio"
    KONG = "kong"


class MeshKind(StrEnum):
    """Service mesh."""

    NONE = "none"
    ISTIO = "istio"


class SecretSource(StrEnum):
    """Source of Secrets: generated in the cluster, provided by its operators, or stored by Vault or AWS."""

    GENERATE = "generate"
    PROVIDED = "provided"
    VAULT = "vault"
    AWS = "aws"

    @property
    def external(self) -> bool:
        """Whether External Secrets Operator copies them from a store."""
        return self in (SecretSource.VAULT, SecretSource.AWS)


class Tls(StrEnum):
    """Source of the gateway's certificate."""

    SELF_SIGNED = "self-signed"
    ACME = "acme"
    PROVIDED = "provided"


class SmtpTls(StrEnum):
    """Encryption of SMTP."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"


class SmsProvider(StrEnum):
    """Provider of text messages."""

    NONE = "none"
    TWILIO = "twilio"
    SNS = "sns"


class Durability(StrEnum):
    """Durability of commits while no standby can confirm them."""

    REQUIRED = "required"
    PREFERRED = "preferred"


class MonitoringMode(StrEnum):
    """Monitoring by servers of the stack, or by the cluster's operator."""

    OWN = "own"
    OPERATOR = "operator"


SMTPS_PORT: Final = 465
"""Where Alertmanager's mails begin with TLS (0.28, notify/email/email.go); at others it asks for STARTTLS."""


class Receiver(StrEnum):
    """Receiver of alerts."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    EMAIL = "email"


class LogDestination(StrEnum):
    """Destination of logs, beside `kubectl logs`."""

    NONE = "none"
    ELASTICSEARCH = "elasticsearch"
    OPERATOR = "operator"


class RetiredClusterPolicy(StrEnum):
    """What a restore does with the cluster that it replaces."""

    HIBERNATED = "hibernated"
    REMOVED = "removed"


class FormerTables(StrEnum):
    """What a growth does with the tables that services leave behind in the one database that they had."""

    KEPT = "kept"
    REMOVED = "removed"


class LogLevel(StrEnum):
    """Level of the API's log."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _is_image(reference: str) -> str:
    if reference:
        parse_image(reference)
    return reference


def _is_url(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/")):
        raise ValueError(f"{url!r} is not the address of a site: write it as http://host or https://host:port")
    return url.rstrip("/")


def _is_collector(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query):
        raise ValueError(f"{url!r} takes no traces: write it as http://host:port, with a path if it has one")
    return url.rstrip("/")


def _is_zone(zone: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{32}|", zone):
        raise ValueError(f"{zone!r} is not a zone's identifier: Cloudflare shows it as 32 hexadecimal digits")
    return zone


def _are_recipients(text: str) -> str:
    if text and not re.fullmatch(r"[^@\s,]+@[^@\s,]+(,\s*[^@\s,]+@[^@\s,]+)*", text):
        raise ValueError(f"{text!r} are no recipients: write them as one@example.com,another@example.com")
    return text


def _is_identity(text: str) -> str:
    parse_identity(text)
    return text


def split_restores(value: Any) -> Any:
    """Take a list of restores that is written as one text apart, and check each against those before it."""
    entries = [entry for entry in value.split(",") if entry] if isinstance(value, str) else value
    if isinstance(entries, list | tuple):
        parse_restores(",".join(map(str, entries)))
    return entries


def split_receivers(value: Any) -> Any:
    """Take a list of receivers that is written as one text apart; refuse an empty one."""
    entries = [entry.strip() for entry in value.split(",")] if isinstance(value, str) else value
    if not entries:
        raise ValueError(f"nobody would be told: name at least one of {', '.join(Receiver)}")
    return entries


def _split(value: Any) -> Any:
    """Take a list that is written as one text, separated by commas, or as a single number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    return [part.strip() for part in str(value).split(",")]


def _are_ports(ports: Any) -> Any:
    ports = _split(ports)
    numbers = [int(port) if str(port).isdecimal() else 0 for port in ports] if isinstance(ports, list | tuple) else [0]
    if not numbers or not all(1 <= port <= 65535 for port in numbers):
        raise ValueError(f"{_written(ports)} are not ports: write them as 443,6443")
    return numbers


def _are_networks(blocks: Any) -> Any:
    blocks = _split(blocks)
    try:
        return [str(ip_network(block)) for block in blocks]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{_written(blocks)} are not address blocks: write them as 10.0.0.1/32,fd00::1/128") from error


def _are_addresses(addresses: Any) -> Any:
    addresses = _split(addresses)
    try:
        return [str(ip_address(address)) for address in addresses]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{_written(addresses)} are not addresses: write them as 169.254.20.10") from error


def _written(value: Any) -> str:
    return repr(",".join(map(str, value)) if isinstance(value, list | tuple) else value)


def port_of(address: str) -> int:
    """Return the port of an address: the one that it names, or that of its scheme. 443 for an empty one."""
    parts = urlsplit(address)
    return parts.port or (80 if parts.scheme == "http" else 443)


def _is_shards(number: int) -> int:
    if number == 2:
        raise ValueError("of two shards none could outvote the other: set it to 1, or to 3 or more")
    return number


_DNS_NAME = r"^$|^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"
Name = Annotated[str, Field(pattern=_DNS_NAME, max_length=253)]
Url = Annotated[str, AfterValidator(_is_url)]
ImageReference = Annotated[str, AfterValidator(_is_image)]
Collector = Annotated[str, AfterValidator(_is_collector)]
Zone = Annotated[str, AfterValidator(_is_zone)]
IdentityName = Annotated[str, AfterValidator(_is_identity)]
Recipients = Annotated[str, AfterValidator(_are_recipients)]
Ports = Annotated[tuple[int, ...], BeforeValidator(_are_ports)]
Networks = Annotated[tuple[str, ...], BeforeValidator(_are_networks)]
Addresses = Annotated[tuple[str, ...], BeforeValidator(_are_addresses)]
Port = Annotated[int, Field(ge=1, le=65535)]
NodePort = Annotated[int, Field(ge=30000, le=32767)]
RestoreEntry = str
Cpu = Annotated[int, Field(ge=10, le=64_000)]
"""Millicores."""
Memory = Annotated[int, Field(ge=64, le=1_048_576)]
"""MiB."""
Storage = Annotated[int, Field(ge=1, le=65_536)]
"""GiB."""
Shards = Annotated[int, Field(ge=1, le=30), AfterValidator(_is_shards)]
