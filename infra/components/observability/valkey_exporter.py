"""An exporter beside a set of Valkey servers: Prometheus asks it about each of them.

Not in the servers' own pods, which would all restart when a stack grows into the phase that has monitoring.
"""

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
from infra.components.network import Flow, Peer
from infra.config import phase_spec

IMAGE: Final = "docker.io/oliver006/redis_exporter:v1.45.0"
_USER: Final = 10006  # above every user of a host; the exporter needs none in particular


class ValkeyExporter(Component):
    """One pod, which knows the servers as the API does: that user may ask INFO.

    Args:
        servers: name of the set, and of the Secret with its passwords.
        labels: of the servers' pods.
        compute: its share.
        scraper: who asks it.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        servers: str,
        labels: dict[str, str],
        compute: phase_spec.Compute,
        scraper: Peer,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        called = names.valkey_exporter(servers)
        own = target.labels(name)
        port = names.VALKEY_EXPORTER_PORT
        flows = networking.NetworkPolicy(
            f"{name}-flows",
            metadata=self.metadata(called),
            spec=network.spec(
                own,
                ingress=(Flow(scraper, (port,)),),
                egress=(Flow(Peer(labels), (names.VALKEY_PORT,)),),
            ),
            opts=self.options(),
        )
        health = core.HTTPGetActionArgs(path="/health", port="metrics")
        password = core.SecretKeySelectorArgs(name=servers, key=names.VALKEY_PASSWORD)
        running = apps.Deployment(
            f"{name}-server",
            metadata=self.metadata(
                called,
                annotations={
                    **pods.PULL_EXCEPTIONS,
                    "checkov.io/skip3": "CKV_K8S_35=it takes one password for all servers from a variable alone",
                },
            ),
            spec=apps.DeploymentSpecArgs(
                replicas=1,
                selector=meta.LabelSelectorArgs(match_labels=own),
                template=core.PodTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(labels=own),
                    spec=core.PodSpecArgs(
                        automount_service_account_token=False,
                        image_pull_secrets=target.pull_secrets,
                        security_context=pods.pod_security(_USER),
                        containers=[
                            core.ContainerArgs(
                                name="exporter",
                                image=IMAGE,
                                image_pull_policy="IfNotPresent",
                                # It asks the servers that Prometheus names, and none of them for its configuration.
                                args=["-redis.addr=", "-config-command=-", f"-web.listen-address=:{port}"],
                                env=[
                                    core.EnvVarArgs(name="REDIS_USER", value=names.VALKEY_USER),
                                    core.EnvVarArgs(
                                        name="REDIS_PASSWORD",
                                        value_from=core.EnvVarSourceArgs(secret_key_ref=password),
                                    ),
                                ],
                                ports=[core.ContainerPortArgs(name="metrics", container_port=port)],
                                resources=pods.resources(compute),
                                security_context=pods.container_security(),
                                liveness_probe=core.ProbeArgs(http_get=health, period_seconds=10, failure_threshold=6),
                                readiness_probe=core.ProbeArgs(http_get=health, period_seconds=5),
                            )
                        ],
                    ),
                ),
            ),
            opts=self.options(flows),
        )
        core.Service(
            f"{name}-service",
            metadata=self.metadata(called),
            spec=core.ServiceSpecArgs(
                ip_family_policy=network.DUAL_STACK,
                selector=own,
                ports=[core.ServicePortArgs(name="metrics", port=port, target_port="metrics")],
            ),
            opts=self.options(running),
        )
        self.register_outputs({"service": called})
