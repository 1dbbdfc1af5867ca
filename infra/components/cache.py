"""Valkey, which keeps the cache, the limits' counters and the denylist of tokens from phase 2 on."""

import hashlib
from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from infra import names, network, phases, pods
from infra.components.base import Component, Target
from infra.network import Flow, Peer

IMAGE: Final = "docker.io/valkey/valkey:9.1.2"
_USER: Final = 10002  # above every user of a host; the server needs none in particular
_PASSWORD_FILE: Final = f"/run/secrets/cache/{names.CACHE_SECRET_KEY}"

# The password goes from the Secret into a file in memory, never into the command line, which every process can read.
_START: Final = (
    "umask 077 && "
    f'printf \'requirepass "%s"\\n\' "$(cat {_PASSWORD_FILE})" > /tmp/password.conf && '
    "exec valkey-server /etc/valkey/valkey.conf"
)
# While the append-only file is read back, the answer is LOADING: not ready, though alive.
_PING: Final = f'[ "$(REDISCLI_AUTH="$(cat {_PASSWORD_FILE})" valkey-cli -p {names.CACHE_PORT} ping)" = PONG ]'


def configuration(memory: int) -> str:
    """`valkey.conf` for a container with this memory limit in MiB.

    Two thirds of the limit are for data: the rest is for the copy-on-write of a rewrite of the append-only file.
    `volatile-ttl`: when the memory is full, what would leave first by itself leaves first: kept answers, which have at
    most 60 s, before sessions that have ended, which are denied for longer than their tokens live. What has no time to
    live, as the messages of a broker, stays. Ten samples instead of five make a mistake in that order improbable.
    """
    return "\n".join(
        (
            f"port {names.CACHE_PORT}",
            "bind * -::*",
            "protected-mode yes",
            "dir /data",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            f"maxmemory {memory * 2 // 3}mb",
            "maxmemory-policy volatile-ttl",
            "maxmemory-samples 10",
            "tcp-keepalive 60",
            "timeout 0",
            "include /tmp/password.conf",
            "",
        )
    )


def _probe(*, period: int, failures: int, ping: bool) -> core.ProbeArgs:
    return core.ProbeArgs(
        exec_=core.ExecActionArgs(command=["sh", "-c", _PING]) if ping else None,
        tcp_socket=None if ping else core.TCPSocketActionArgs(port="valkey"),
        period_seconds=period,
        timeout_seconds=3,
        failure_threshold=failures,
    )


class Cache(Component):
    """One Valkey server with its append-only file on a volume.

    There is no disruption budget: for a single pod it would block the drain of its node for ever, and the API serves
    from the database while the cache is away. Beside the headless Service that names the pod there is one with an
    address of its own: through it clients find a restarted pod at once, and not when a cached DNS answer ends.

    Args:
        row: sizes.
    """

    def __init__(self, name: str, target: Target, *, row: phases.Cache, after: Sequence[pulumi.Resource]) -> None:
        super().__init__(name, target, after)
        labels = target.labels(name)
        written = configuration(row.compute.memory)
        version = hashlib.sha256(written.encode()).hexdigest()[:12]
        config = core.ConfigMap(
            f"{name}-config",
            metadata=self.metadata(names.CACHE),
            data={"valkey.conf": written},
            opts=self.options(),
        )
        flows = networking.NetworkPolicy(
            f"{name}-flows",
            metadata=self.metadata(names.CACHE),
            spec=network.spec(labels, inward=(Flow(Peer(names.API_LABELS), (names.CACHE_PORT,)),)),
            opts=self.options(),
        )
        port = [core.ServicePortArgs(name="valkey", port=names.CACHE_PORT, target_port="valkey")]
        server = apps.StatefulSet(
            f"{name}-server",
            metadata=self.metadata(names.CACHE, annotations=pods.PULL_EXCEPTIONS),
            spec=apps.StatefulSetSpecArgs(
                service_name=names.CACHE_PODS,
                replicas=1,
                selector=meta.LabelSelectorArgs(match_labels=labels),
                template=core.PodTemplateSpecArgs(
                    # A changed configuration is a changed pod, or the server would run on with the old one.
                    metadata=meta.ObjectMetaArgs(labels=labels, annotations={"task-manager/configuration": version}),
                    spec=self._pod(row),
                ),
                volume_claim_templates=[
                    core.PersistentVolumeClaimArgs(
                        metadata=meta.ObjectMetaArgs(name="data"),
                        spec=core.PersistentVolumeClaimSpecArgs(
                            access_modes=["ReadWriteOnce"],
                            storage_class_name=target.storage_class,
                            resources=core.VolumeResourceRequirementsArgs(requests={"storage": f"{row.storage}Gi"}),
                        ),
                    )
                ],
            ),
            opts=self.options(config, flows),
        )
        core.Service(
            f"{name}-pods",
            metadata=self.metadata(names.CACHE_PODS),
            spec=core.ServiceSpecArgs(cluster_ip="None", selector=labels, ports=port),
            opts=self.options(),
        )
        core.Service(
            f"{name}-service",
            metadata=self.metadata(names.CACHE),
            spec=core.ServiceSpecArgs(selector=labels, ports=port),
            opts=self.options(server),
        )
        self.register_outputs({"service": names.CACHE})

    def _pod(self, row: phases.Cache) -> core.PodSpecArgs:
        mounts = {
            "data": "/data",
            "config": "/etc/valkey",
            "password": "/run/secrets/cache",
            "memory": "/tmp",  # noqa: S108 - a volume of the pod's own
        }
        return core.PodSpecArgs(
            automount_service_account_token=False,
            security_context=pods.pod_security(_USER),
            termination_grace_period_seconds=30,
            containers=[
                core.ContainerArgs(
                    name="valkey",
                    image=IMAGE,
                    image_pull_policy="IfNotPresent",
                    command=["sh", "-c", _START],
                    ports=[core.ContainerPortArgs(name="valkey", container_port=names.CACHE_PORT)],
                    resources=pods.resources(row.compute),
                    security_context=pods.container_security(),
                    # Five minutes to read back its file; alive as long as it listens; ready when it answers.
                    startup_probe=_probe(period=2, failures=150, ping=True),
                    liveness_probe=_probe(period=10, failures=6, ping=False),
                    readiness_probe=_probe(period=5, failures=2, ping=True),
                    volume_mounts=[
                        core.VolumeMountArgs(name=volume, mount_path=path, read_only=volume in ("config", "password"))
                        for volume, path in mounts.items()
                    ],
                )
            ],
            volumes=[
                core.VolumeArgs(name="config", config_map=core.ConfigMapVolumeSourceArgs(name=names.CACHE)),
                core.VolumeArgs(
                    name="password", secret=core.SecretVolumeSourceArgs(secret_name=names.CACHE, default_mode=0o440)
                ),
                core.VolumeArgs(
                    name="memory", empty_dir=core.EmptyDirVolumeSourceArgs(medium="Memory", size_limit="1Mi")
                ),
            ],
        )
