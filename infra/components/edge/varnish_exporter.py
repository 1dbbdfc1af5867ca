"""An exporter in a pod of the edge: Varnish keeps its counters in memory that only its own pod can see."""

from dataclasses import dataclass
from typing import Final

from pulumi_kubernetes.core import v1 as core

from infra import names
from infra.components import pods
from infra.components.edge import varnish_config
from infra.components.network import Flow, Peer
from infra.config import phase_spec

# Its `varnishstat` is of the server's own release, 7.7: what one reads in memory, the other has written there.
IMAGE: Final = "ghcr.io/otto-de/prometheus-varnish-exporter:1.8.3-varnish-7.7.3"

EXCEPTIONS: Final = {
    "checkov.io/skip3": "CKV_K8S_9=the edge is as ready without its exporter, which must not take it away",
}
"""Of the pods' maker, beside those that all have."""


@dataclass(frozen=True)
class Exporter:
    """What tells Prometheus of a pod of the edge.

    Args:
        compute: its share.
        scraper: who asks it.
    """

    compute: phase_spec.Compute
    scraper: Peer

    @property
    def inward(self) -> Flow:
        return Flow(self.scraper, (names.EDGE_METRICS_PORT,))

    @property
    def annotations(self) -> dict[str, str]:
        """Of the pod: by these Prometheus finds it, as it finds the API's pods."""
        return {"prometheus.io/scrape": "true", "prometheus.io/port": str(names.EDGE_METRICS_PORT)}

    def container(self, *, volume: str, directory: str) -> core.ContainerArgs:
        """The container.

        Args:
            volume: the one that Varnish works in.
            directory: where both containers have it.
        """
        return core.ContainerArgs(
            name="exporter",
            image=IMAGE,
            image_pull_policy="IfNotPresent",
            command=varnish_config.exporter_arguments(directory=directory, listen=f":{names.EDGE_METRICS_PORT}"),
            ports=[core.ContainerPortArgs(name="metrics", container_port=names.EDGE_METRICS_PORT)],
            resources=pods.resources(self.compute),
            security_context=pods.container_security(),
            liveness_probe=core.ProbeArgs(
                http_get=core.HTTPGetActionArgs(path="/health", port="metrics"), period_seconds=10, failure_threshold=6
            ),
            volume_mounts=[core.VolumeMountArgs(name=volume, mount_path=directory, read_only=True)],
        )
