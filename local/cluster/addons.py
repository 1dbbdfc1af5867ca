"""Add-ons: what runs in the cluster beside the application, each with its images and manifests."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.cluster import backups, controller, istio, kubectl, metrics, secret_store
from local.cluster.certificates import CLUSTER_CA, key_pair
from local.cluster.node_agents import resolver_file
from local.cluster.nodes import API_ADDRESS, DNS_ADDRESS, Node
from local.errors import LocalError
from local.host import processes
from local.images.catalogue import (
    ADAPTER,
    ALERTMANAGER,
    BACKUP_PLUGIN,
    BACKUP_SIDECAR,
    CERT_MANAGER,
    COREDNS,
    EDGE_EXPORTER_IMAGE,
    ELASTICSEARCH,
    EXTERNAL_SECRETS,
    FILEBEAT,
    ISTIO_PROXY,
    ISTIOD,
    METRICS_SERVER,
    OBJECT_STORE,
    OPENBAO,
    OPERATOR,
    POOLER,
    POSTGRESQL_IMAGE,
    PROMETHEUS,
    RABBITMQ_IMAGE,
    TRAEFIK,
    VALKEY,
    VALKEY_EXPORTER_IMAGE,
    VARNISH_IMAGE,
    Image,
)
from local.tools import go_tools

OPERATOR_VERSION = "1.30.0"
GATEWAY_API = ("sigs.k8s.io/gateway-api", "v1.6.1")
# The newest of this minor that the module proxy carries; the definitions are the same within the minor.
TRAEFIK_DEFINITIONS = ("github.com/traefik/traefik/v3", "v3.7.13")


@dataclass(frozen=True)
class Addon:
    """One part.

    Attributes:
        title: how progress names it.
        images: what every node has to hold.
        tools: Go tools that are built for it, beside those of its images.
        install: applies it, the nodes at hand, and returns when it works; doing so twice changes nothing.
    """

    title: str
    install: Callable[[list[Node]], None]
    images: tuple[Image, ...] = ()
    tools: tuple[str, ...] = ()

    @property
    def all_tools(self) -> tuple[str, ...]:
        """The Go tools of the part and of its images."""
        return (*(tool for image in self.images for tool in image.tools), *self.tools)


def _dns(nodes: list[Node]) -> None:
    forward = "forward . /etc/resolv.conf" if resolver_file().read_text() else "# no name server outside"
    replicas = min(len(nodes), 2)
    kubectl.apply(kubectl.render("dns", dns_address=DNS_ADDRESS, forward=forward, replicas=replicas))
    kubectl.wait_rollout("kube-system", "coredns")


def _storage(_: list[Node]) -> None:
    kubectl.apply(kubectl.render("access"))
    kubectl.apply(kubectl.render("storage"))
    processes.start(controller.process("volumes"))


def _metrics(nodes: list[Node]) -> None:
    processes.start(metrics.prometheus(nodes))
    processes.start(metrics.adapter())
    authority = base64.b64encode(key_pair(CLUSTER_CA).certificate.read_bytes()).decode()
    values = {"adapter_port": metrics.ADAPTER_PORT, "api_address": API_ADDRESS, "ca_bundle": authority}
    kubectl.apply(kubectl.render("metrics", **values))
    kubectl.wait_condition("apiservice", "v1beta1.metrics.k8s.io", "Available")
    kubectl.wait_condition("apiservice", "v1beta1.custom.metrics.k8s.io", "Available")


def operator_manifest() -> str:
    """Return the manifest of the PostgreSQL operator, with its CustomResourceDefinitions."""
    source = go_tools.module_source("github.com/cloudnative-pg/cloudnative-pg", f"v{OPERATOR_VERSION}")
    return (source / "releases" / f"cnpg-{OPERATOR_VERSION}.yaml").read_text()


def _database(_: list[Node]) -> None:
    # The image is on the nodes already and in no registry that they could ask.
    kubectl.apply(operator_manifest().replace("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent"))
    kubectl.wait_rollout("cnpg-system", "cnpg-controller-manager")


def gateway_definitions() -> tuple[Path, Path]:
    """Return the definitions of the Gateway API's resources, a directory, and of Traefik's own, a file."""
    definitions = go_tools.module_source(*GATEWAY_API) / "config" / "crd" / "standard"
    reference = (
        go_tools.module_source(*TRAEFIK_DEFINITIONS) / "docs" / "content" / "reference" / "dynamic-configuration"
    )
    return definitions, reference / "kubernetes-crd-definition-v1.yml"


def _gateway(_: list[Node]) -> None:
    kubectl.apply_files(*gateway_definitions())
    kubectl.wait_condition("crd", "gatewayclasses.gateway.networking.k8s.io", "Established")
    kubectl.apply(kubectl.render("gateway"))
    kubectl.wait_rollout("traefik", "traefik")


def _bucket(_: list[Node]) -> None:
    processes.start(controller.process("backups"))
    backups.install_bucket()


def _backups(_: list[Node]) -> None:
    backups.install_plugin()


def _elasticsearch(_: list[Node]) -> None:
    kubectl.apply(kubectl.render("elasticsearch"))
    kubectl.wait_rollout("elasticsearch", "elasticsearch")


def _secret_store(_: list[Node]) -> None:
    secret_store.install_operator()
    secret_store.install_store()


def _image_only(_: list[Node]) -> None:
    """The program brings the rest; only the image is needed."""


ADDONS = {
    "dns": Addon("DNS", _dns, (COREDNS,)),
    "storage": Addon("volumes", _storage),
    "metrics": Addon("metrics", _metrics, tools=("prometheus-adapter",)),
    "database": Addon("PostgreSQL operator", _database, (OPERATOR, POSTGRESQL_IMAGE, POOLER)),
    "gateway": Addon("gateway", _gateway, (TRAEFIK,)),
    "bucket": Addon("bucket", _bucket, (OBJECT_STORE,)),
    "backups": Addon("backups", _backups, (BACKUP_PLUGIN, BACKUP_SIDECAR)),
    "cache": Addon("cache", _image_only, (VALKEY,)),
    "rabbitmq": Addon("RabbitMQ", _image_only, (RABBITMQ_IMAGE,)),
    "edge": Addon("edge", _image_only, (VARNISH_IMAGE, EDGE_EXPORTER_IMAGE)),
    "elasticsearch": Addon("Elasticsearch", _elasticsearch, (ELASTICSEARCH, FILEBEAT)),
    "istio": Addon("mesh", istio.install, (ISTIOD, ISTIO_PROXY)),
    "secret-store": Addon("secret store", _secret_store, (EXTERNAL_SECRETS, OPENBAO)),
    "monitoring": Addon("monitoring", _image_only, (PROMETHEUS, ALERTMANAGER, VALKEY_EXPORTER_IMAGE)),
}
ALWAYS = ("storage", "dns", "metrics")
SEVERAL = (*ALWAYS, "database", "gateway", "cache", "monitoring")
RELIABLE = (*SEVERAL, "bucket", "backups", "edge")
PHASES = {1: ALWAYS, 2: SEVERAL, 3: RELIABLE, 4: (*RELIABLE, "rabbitmq", "istio")}

BARE = ("storage", "dns", "bucket")
"""What a bare cluster has all the same: what a provider brings with a cluster, and beside it."""

PLATFORM_IMAGES = (CERT_MANAGER, METRICS_SERVER, ADAPTER)
"""Of the platform's add-ons that are processes of the machine here, or not needed."""

# What a phase's stack answers without. Phase 1 has a fixed number of instances, so that nothing there asks for metrics.
DEFERRED = {1: ("metrics",)}


def of_phase(phase: int) -> tuple[str, ...]:
    """Return the add-ons on which a phase stands.

    Raises:
        LocalError: there is no such phase.
    """
    if phase not in PHASES:
        raise LocalError(f"phase {phase} is unknown: it is one of {', '.join(map(str, PHASES))}")
    return PHASES[phase]


def bare(wanted: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Image, ...]]:
    """Return the add-ons of a bare cluster, and the images of those that the platform's stack installs in it."""
    others = [image for name in wanted if name not in BARE for image in ADDONS[name].images]
    return tuple(name for name in wanted if name in BARE), (*others, *PLATFORM_IMAGES)


def deferred(phase: int) -> tuple[str, ...]:
    """Return the add-ons that can come after the phase's stack."""
    return DEFERRED.get(phase, ())


def min_nodes(phase: int) -> int:
    """Return how many nodes of two CPUs a phase's example stack needs; phase 3's with one of them drained."""
    return 3 if phase == 3 else 1


def named(names: str) -> tuple[str, ...]:
    """Return the add-ons of a list with commas, those that are always there first.

    Raises:
        LocalError: one of them is unknown.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in ADDONS:
            raise LocalError(f"add-on {name} is unknown: it is one of {', '.join(ADDONS)}")
    return tuple(dict.fromkeys([*ALWAYS, *wanted]))
