"""What single settings may be: one of a few words, or a text of a certain form."""

import re
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from infra.config.image import parse_image
from infra.config.restores import parse_restores


class LoadBalancing(StrEnum):
    """How the gateway picks a pod."""

    LEAST_LOADED = "least-loaded"
    ROUND_ROBIN = "round-robin"


class Origin(StrEnum):
    """Who makes Secrets."""

    GENERATE = "generate"
    PROVIDED = "provided"


class Tls(StrEnum):
    """Where the gateway's certificate comes from."""

    SELF_SIGNED = "self-signed"
    PROVIDED = "provided"


class SmtpTls(StrEnum):
    """How the mail server is spoken to."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"


class Durability(StrEnum):
    """What a write does while no standby can confirm it."""

    REQUIRED = "required"
    PREFERRED = "preferred"


class Watching(StrEnum):
    """Whose Prometheus and Grafana there are."""

    OWN = "own"
    OPERATOR = "operator"


class LogsTo(StrEnum):
    """Where lines of logs go, beside where `kubectl logs` finds them."""

    NONE = "none"
    ELASTICSEARCH = "elasticsearch"
    OPERATOR = "operator"


class Former(StrEnum):
    """What becomes of the clusters out of which the database was restored."""

    ASLEEP = "asleep"
    REMOVED = "removed"


class LogLevel(StrEnum):
    """How much the API writes."""

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


def _are_restores(text: str) -> str:
    parse_restores(text)
    return text


def parse_ports(text: str) -> tuple[int, ...]:
    """Read ports that are separated by commas.

    Raises:
        ValueError: one of them is no port.
    """
    ports = tuple(int(part) if part.strip().isdecimal() else 0 for part in text.split(","))
    if not all(1 <= port <= 65535 for port in ports):
        raise ValueError(f"{text!r} are not ports: write them as 443,6443")
    return ports


def _are_ports(text: str) -> str:
    parse_ports(text)
    return text


def port_of(address: str) -> int:
    """Return the port of an address: the one that it names, or that of its scheme. 443 for an empty one."""
    parts = urlsplit(address)
    return parts.port or (80 if parts.scheme == "http" else 443)


_DNS_NAME = r"^$|^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"
Name = Annotated[str, Field(pattern=_DNS_NAME, max_length=253)]
Url = Annotated[str, AfterValidator(_is_url)]
ImageReference = Annotated[str, AfterValidator(_is_image)]
Collector = Annotated[str, AfterValidator(_is_collector)]
Zone = Annotated[str, AfterValidator(_is_zone)]
Ports = Annotated[str, AfterValidator(_are_ports)]
Restores = Annotated[str, AfterValidator(_are_restores)]
