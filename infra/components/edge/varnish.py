"""The edge in the cluster: Varnish, which keeps what `cache_rules.py` names and the API calls public.

The gateway sends it the requests for those paths alone; all others go straight to the API.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from infra import names
from infra.components import network, pods
from infra.components.base import Component, Target
from infra.components.edge import varnish_config, varnish_exporter
from infra.components.edge.varnish_exporter import Exporter
from infra.components.network import Flow, Peer
from infra.config import phase_spec

IMAGE: Final = "docker.io/library/varnish:7.7.0"

_USER: Final = 10005  # above every user of a host; the server needs none in particular
_CONFIG: Final = "/etc/varnish"
_FILE: Final = "default.vcl"
_DIRECTORY: Final = "/var/lib/varnish"
_WORK: Final = "work"
"""The volume of that directory."""


def statistics() -> str:
    """Return the command that tells, in one of the pods, how often something kept was given."""
    return f"varnishstat -n {_DIRECTORY} -1 -f MAIN.cache_hit -f MAIN.cache_miss -f MAIN.s_pass"


class Edge(Component):
    """The pods, before the release: its route leads to them.

    Args:
        row: how many, and their sizes.
        origin: names of the service that serves what may be kept.
        gateway: who calls them, and nobody else.
        exporter: what tells Prometheus of each of them; None where nobody asks.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        row: phase_spec.Varnish,
        origin: names.ServiceNames,
        gateway: Peer,
        exporter: Exporter | None,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        self.labels = target.labels(name)
        configuration = varnish_config.vcl(names.EDGE_ORIGIN, names.API_PORT)
        config = core.ConfigMap(
            f"{name}-config", metadata=self.metadata(names.EDGE), data={_FILE: configuration}, opts=self.options()
        )
        flows = networking.NetworkPolicy(
            f"{name}-flows",
            metadata=self.metadata(names.EDGE),
            spec=network.spec(
                self.labels,
                ingress=(
                    Flow(gateway, (names.EDGE_PORT,)),
                    Flow(Peer(names.PURGE_LABELS), (names.EDGE_PURGE_PORT,)),
                    *([exporter.ingress] if exporter else []),
                ),
                egress=(Flow(Peer(names.API_LABELS), (names.API_PORT,)),),
            ),
            opts=self.options(),
        )
        # The chart's own Service comes with the release, and Varnish wants to know an address when it starts.
        origin_service = self._service("origin", names.EDGE_ORIGIN, origin.server_labels, names.API_PORT)
        matching = meta.LabelSelectorArgs(match_labels=self.labels)
        running = apps.Deployment(
            f"{name}-server",
            metadata=self.metadata(
                names.EDGE,
                annotations={**pods.PULL_EXCEPTIONS, **(varnish_exporter.EXCEPTIONS if exporter else {})},
            ),
            spec=apps.DeploymentSpecArgs(
                replicas=row.replicas,
                selector=matching,
                strategy=apps.DeploymentStrategyArgs(
                    type="RollingUpdate",
                    rolling_update=apps.RollingUpdateDeploymentArgs(max_surge="25%", max_unavailable=0),
                ),
                template=core.PodTemplateSpecArgs(
                    # A changed configuration is a changed pod, or the server would run on with the former one.
                    metadata=meta.ObjectMetaArgs(
                        labels=self.labels,
                        annotations={
                            "task-manager/configuration": hashlib.sha256(configuration.encode()).hexdigest()[:12],
                            **(exporter.annotations if exporter else {}),
                        },
                    ),
                    spec=self._pod(row, exporter),
                ),
            ),
            opts=self.options(config, flows, origin_service),
        )
        self.disruption_budget(names.EDGE, self.labels)
        self._service("service", names.EDGE, self.labels, names.EDGE_PORT, running)
        self._service("pods", names.EDGE_PODS, self.labels, names.EDGE_PURGE_PORT, running, cluster_ip="None")
        self.register_outputs({"service": names.EDGE})

    def _service(
        self,
        part: str,
        service: str,
        selected: dict[str, str],
        port: int,
        *after: pulumi.Resource,
        cluster_ip: str | None = None,
    ) -> core.Service:
        return core.Service(
            f"{self.name}-{part}",
            metadata=self.metadata(service),
            spec=core.ServiceSpecArgs(
                cluster_ip=cluster_ip,
                ip_family_policy=network.DUAL_STACK,
                selector=selected,
                ports=[core.ServicePortArgs(name="http", port=port, app_protocol="http")],
            ),
            opts=self.options(*after),
        )

    def _pod(self, row: phase_spec.Varnish, exporter: Exporter | None) -> core.PodSpecArgs:
        command = varnish_config.arguments(
            file=f"{_CONFIG}/{_FILE}",
            directory=_DIRECTORY,
            listen=f":{names.EDGE_PORT}",
            purge=f":{names.EDGE_PURGE_PORT}",
            memory=row.compute.memory // 3,
        )
        return core.PodSpecArgs(
            automount_service_account_token=False,
            image_pull_secrets=self.target.pull_secrets,
            security_context=pods.pod_security(_USER),
            termination_grace_period_seconds=30,
            topology_spread_constraints=pods.spread(self.labels),
            containers=[
                core.ContainerArgs(
                    name="varnish",
                    image=IMAGE,
                    image_pull_policy="IfNotPresent",
                    command=varnish_config.watched(names.EDGE_ORIGIN, command),
                    # The compiler's, which makes a program of the configuration.
                    env=[core.EnvVarArgs(name="TMPDIR", value=_DIRECTORY)],
                    ports=[
                        core.ContainerPortArgs(name="http", container_port=names.EDGE_PORT),
                        core.ContainerPortArgs(name="purge", container_port=names.EDGE_PURGE_PORT),
                    ],
                    resources=pods.resources(row.compute),
                    security_context=pods.container_security(),
                    # Varnish ends at once when it is told to: the endpoints have to forget it first.
                    lifecycle=core.LifecycleArgs(
                        pre_stop=core.LifecycleHandlerArgs(sleep=core.SleepActionArgs(seconds=10))
                    ),
                    # Varnish is asked, not the API behind it, whose absence is no reason to take away what is kept.
                    startup_probe=pods.http_probe(varnish_config.HEALTH, period=2, failures=60),
                    liveness_probe=pods.http_probe(varnish_config.HEALTH, period=10, failures=6),
                    readiness_probe=pods.http_probe(varnish_config.HEALTH, period=5, failures=2),
                    volume_mounts=[
                        core.VolumeMountArgs(name="config", mount_path=_CONFIG, read_only=True),
                        core.VolumeMountArgs(name=_WORK, mount_path=_DIRECTORY),
                    ],
                ),
                *([exporter.container(volume=_WORK, directory=_DIRECTORY)] if exporter else []),
            ],
            volumes=[
                core.VolumeArgs(name="config", config_map=core.ConfigMapVolumeSourceArgs(name=names.EDGE)),
                core.VolumeArgs(
                    name=_WORK, empty_dir=core.EmptyDirVolumeSourceArgs(medium="Memory", size_limit="32Mi")
                ),
            ],
        )
