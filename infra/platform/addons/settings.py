"""Settings of the add-ons: which are installed, and from where."""

import difflib
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from infra.config.sections import Section
from infra.config.types import Name
from infra.platform.addons.versions import CHARTS


class Required(StrEnum):
    """Source of an add-on that environments stand on."""

    INSTALL = "install"
    PROVIDED = "provided"


class Optional(StrEnum):
    """Source of an add-on that environments can do without."""

    INSTALL = "install"
    PROVIDED = "provided"
    NONE = "none"


def _is_address(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
        raise ValueError(f"{url!r} is no address: write it as http://host:port, with a path if it has one")
    return url.rstrip("/")


Address = Annotated[str, AfterValidator(_is_address)]


def _of_addons(values: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for key in values:
        if key not in CHARTS:
            close = difflib.get_close_matches(key, CHARTS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"they are {', '.join(CHARTS)}"
            raise ValueError(f"{key!r} is no add-on ({hint})")
    return values


class AddonSettings(Section):
    """What environments stand on in the cluster. `provided`: it is there already, and is left alone."""

    gateway_api: Required = Field(
        default=Required.INSTALL, description="CRDs of the Gateway API, standard channel: install or provided."
    )
    traefik: Required = Field(default=Required.INSTALL, description="Traefik, the gateway: install or provided.")
    cert_manager: Required = Field(
        default=Required.INSTALL,
        description="cert-manager: install or provided. Certificates of the gateway, and of the add-ons themselves.",
    )
    cloudnative_pg: Required = Field(
        default=Required.INSTALL, description="CloudNativePG, the operator of PostgreSQL: install or provided."
    )
    barman_cloud: Optional = Field(
        default=Optional.INSTALL,
        description="CloudNativePG's Barman Cloud plugin, for backups to a bucket: install, provided or none.",
    )
    metrics_server: Required = Field(
        default=Required.INSTALL,
        description="metrics-server (metrics.k8s.io): install or provided. Many clusters have one.",
    )
    prometheus_adapter: Optional = Field(
        default=Optional.INSTALL,
        description="prometheus-adapter (custom.metrics.k8s.io), which phase 3 scales by: install, provided or none.",
    )
    prometheus: Address = Field(
        default="",
        description="Address of the Prometheus that prometheus-adapter queries. Empty: the Prometheus operator's where"
        " that is installed, else the environment's own.",
    )
    environment: Name = Field(
        default="phase3",
        min_length=1,
        description="Stack of the environment whose own Prometheus prometheus-adapter queries.",
    )
    prometheus_operator: Optional = Field(
        default=Optional.NONE,
        description="The Prometheus operator with a Prometheus for all environments (kube-prometheus-stack): install,"
        " provided or none (each environment has its own).",
    )
    external_secrets: Optional = Field(
        default=Optional.NONE, description="External Secrets Operator: install, provided or none."
    )
    istio: Optional = Field(
        default=Optional.NONE,
        description="Istio, the mesh and the gateway class istio of phase 4: install, provided or none.",
    )
    aws_load_balancer: Required = Field(
        default=Required.INSTALL,
        description="AWS Load Balancer Controller, on a cluster of AWS: install or provided.",
    )
    acme_email: str = Field(
        default="",
        pattern=r"^$|^[^@\s]+@[^@\s]+\.[^@\s]+$",
        description="Account at the certificate authority; with it there is a ClusterIssuer letsencrypt. Empty: none.",
    )
    acme_server: Address = Field(
        default="https://acme-v02.api.letsencrypt.org/directory",
        description="Directory of the certificate authority (ACME).",
    )
    repository: Address = Field(
        default="",
        description="Chart repository that has all of the charts, such as a mirror. Empty: each chart's own.",
    )
    values: Annotated[dict[str, dict[str, Any]], AfterValidator(_of_addons)] = Field(
        default_factory=dict, description="Values of the charts, by add-on, that are merged over the program's."
    )

    def installs(self, key: str) -> bool:
        """Whether this stack installs an add-on."""
        return str(getattr(self, key)) == Required.INSTALL
