"""One server that answers HTTP, with its configuration in a ConfigMap and its data on a volume."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from infra.components import network, pods
from infra.components.base import Component, Target
from infra.components.claims import data_claims
from infra.components.network import Flow
from infra.config.phase_spec import Compute


@dataclass(frozen=True)
class SecretFiles:
    """A Secret whose keys a server finds as files.

    Args:
        name: of the Secret.
        path: the folder.
        optional: whether the server starts without it.
        volume: name of the volume in the pod.
    """

    name: str
    path: str
    optional: bool
    volume: str = "secret"


@dataclass(frozen=True)
class Server:
    """What tells one server from another.

    Args:
        name: of the StatefulSet, the Service, the ConfigMap and the policy.
        image: whole reference.
        user: whom it runs as, above every user of a host.
        arguments: of the command line, after the image's own command or `command`.
        port: where it listens.
        files: its configuration, by path under `config`.
        config: where the files are.
        storage: volume under `/data`, in GiB.
        compute: its share.
        account: ServiceAccount whose token it gets; None for no token.
        secrets: what it must not say aloud.
        command: in place of the image's own.
        ready, healthy: paths of the probes.
        ingress, egress: who calls, and who is called.
    """

    name: str
    image: str
    user: int
    arguments: Sequence[str]
    port: int
    files: Mapping[str, str]
    config: str
    storage: int
    compute: Compute
    account: str | None = None
    secrets: tuple[SecretFiles, ...] = ()
    command: Sequence[str] = ()
    ready: str = "/-/ready"
    healthy: str = "/-/healthy"
    ingress: tuple[Flow, ...] = ()
    egress: tuple[Flow, ...] = ()


def _key(path: str) -> str:
    """A ConfigMap's keys have no slash."""
    return path.replace("/", "_")


class SingleServer(Component):
    """The server, its Service and who may talk to it.

    Without a disruption budget: for a single pod it would block the drain of its node for ever.
    """

    def __init__(self, name: str, target: Target, after: Sequence[pulumi.Resource]) -> None:
        super().__init__(name, target, after)
        self.labels = target.labels(name)

    def serve(self, server: Server, *after: pulumi.Resource) -> None:
        """Register the children, the pod after what it needs."""
        version = hashlib.sha256("".join(server.files.values()).encode()).hexdigest()[:12]
        config = core.ConfigMap(
            f"{self.name}-config",
            metadata=self.metadata(server.name),
            data={_key(path): content for path, content in server.files.items()},
            opts=self.options(),
        )
        flows = networking.NetworkPolicy(
            f"{self.name}-flows",
            metadata=self.metadata(server.name),
            spec=network.spec(self.labels, ingress=server.ingress, egress=server.egress),
            opts=self.options(),
        )
        claims = data_claims(self, server.name, 1, server.storage)
        running = apps.StatefulSet(
            f"{self.name}-server",
            metadata=self.metadata(server.name, annotations=pods.PULL_EXCEPTIONS),
            spec=apps.StatefulSetSpecArgs(
                service_name=server.name,
                replicas=1,
                selector=meta.LabelSelectorArgs(match_labels=self.labels),
                template=core.PodTemplateSpecArgs(
                    # A changed configuration is a changed pod, or the server would run on with the former one.
                    metadata=meta.ObjectMetaArgs(
                        labels=self.labels, annotations={"task-manager/configuration": version}
                    ),
                    spec=self._pod(server),
                ),
                volume_claim_templates=[pods.data_claim(server.storage, self.target.storage_class)],
            ),
            opts=self.options(config, flows, *claims, *after, ignore_changes=("spec.volumeClaimTemplates",)),
        )
        core.Service(
            f"{self.name}-service",
            metadata=self.metadata(server.name),
            spec=core.ServiceSpecArgs(
                ip_family_policy=network.DUAL_STACK,
                selector=self.labels,
                ports=[core.ServicePortArgs(name="http", port=server.port, target_port="http")],
            ),
            opts=self.options(running),
        )

    def _pod(self, server: Server) -> core.PodSpecArgs:
        mounts = [
            core.VolumeMountArgs(name="data", mount_path="/data"),
            core.VolumeMountArgs(name="config", mount_path=server.config, read_only=True),
        ]
        items = [core.KeyToPathArgs(key=_key(path), path=path) for path in server.files]
        config = core.ConfigMapVolumeSourceArgs(name=server.name, items=items)
        volumes = [core.VolumeArgs(name="config", config_map=config)]
        for secret in server.secrets:
            mounts.append(core.VolumeMountArgs(name=secret.volume, mount_path=secret.path, read_only=True))
            source = core.SecretVolumeSourceArgs(secret_name=secret.name, optional=secret.optional, default_mode=0o440)
            volumes.append(core.VolumeArgs(name=secret.volume, secret=source))
        return core.PodSpecArgs(
            service_account_name=server.account,
            automount_service_account_token=server.account is not None,
            image_pull_secrets=self.target.pull_secrets,
            security_context=pods.pod_security(server.user),
            # What is in memory is in a log on the volume too; a clean end only makes the next start quick.
            termination_grace_period_seconds=60,
            containers=[
                core.ContainerArgs(
                    name=self.name,
                    image=server.image,
                    image_pull_policy="IfNotPresent",
                    command=list(server.command) or None,
                    args=list(server.arguments),
                    ports=[core.ContainerPortArgs(name="http", container_port=server.port)],
                    resources=pods.resources(server.compute),
                    security_context=pods.container_security(),
                    # Ten minutes to replay the log; alive as long as it answers at all.
                    startup_probe=pods.http_probe(server.ready, period=2, failures=300),
                    liveness_probe=pods.http_probe(server.healthy, period=10, failures=6),
                    readiness_probe=pods.http_probe(server.ready, period=5, failures=3),
                    volume_mounts=mounts,
                )
            ],
            volumes=volumes,
        )
