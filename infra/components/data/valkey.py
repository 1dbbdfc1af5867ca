"""Valkey servers: what the cache and the broker have in common."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from infra import names
from infra.components import network, pods
from infra.components.base import Component, Target
from infra.components.claims import data_claims
from infra.components.network import Flow, Peer
from infra.config.phase_spec import Compute

IMAGE: Final = "docker.io/valkey/valkey:9.1.2"
_USER: Final = 10002  # above every user of a host; the server needs none in particular
_SECRET: Final = "/run/secrets/valkey"  # noqa: S105 - a directory
_SERVICE_SECRETS: Final = "/run/secrets/services"

# Passwords go from the Secret into a file in memory, never into a command line, which every process can read. The API
# may do everything but what is dangerous or an administrator's; it asks INFO to see that a server lives.
_START: Final = f"""\
umask 077
application="$(cat {_SECRET}/{names.VALKEY_PASSWORD})"
operator="$(cat {_SECRET}/{names.VALKEY_OPERATOR_PASSWORD})"
cat > /tmp/access.conf <<CONF
user default off
user {names.VALKEY_USER} on >$application ~* &* +@all -@admin -@dangerous +info
user {names.VALKEY_OPERATOR} on >$operator ~* &* +@all
masteruser {names.VALKEY_OPERATOR}
masterauth $operator
CONF
"""
_CLIENT: Final = (
    f'REDISCLI_AUTH="$(cat {_SECRET}/{names.VALKEY_OPERATOR_PASSWORD})"'
    f" valkey-cli --user {names.VALKEY_OPERATOR} -p {names.VALKEY_PORT}"
)
# While the append-only file is read back, the answer is LOADING: not ready, though alive.
PING: Final = f'[ "$({_CLIENT} ping)" = PONG ]'


@dataclass(frozen=True)
class Servers:
    """A set of servers under one name.

    Args:
        name: of the StatefulSet, the Service with an address of its own, the ConfigMap and the policy.
        pods: of the Service that gives each pod a name.
        secret: with the passwords.
        number: how many.
        storage: volume of each one's append-only file, in GiB.
        compute: share of each.
        configuration: lines of `valkey.conf` beside those that all have.
        before: shell that runs before the server, in the container.
        ready: shell that tells whether the server may be asked.
        fields: of the pod, by the variable that `before` finds each in.
        services: of the API, each with a user of its own for keys that begin with its name.
        ingress, egress: who calls, and who is called.
    """

    name: str
    pods: str
    secret: str
    number: int
    storage: int
    compute: Compute
    configuration: tuple[str, ...]
    before: str = ""
    ready: str = PING
    fields: Mapping[str, str] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    ingress: tuple[Flow, ...] = ()
    egress: tuple[Flow, ...] = ()

    def valkey_conf(self) -> str:
        """Two thirds of the limit are for data: the rest is for the copy-on-write while the log is rewritten."""
        return "\n".join(
            (
                f"port {names.VALKEY_PORT}",
                "bind * -::*",
                "protected-mode yes",
                "dir /data",
                "appendonly yes",
                "appendfsync everysec",
                'save ""',
                f"maxmemory {self.compute.memory * 2 // 3}mb",
                "tcp-keepalive 60",
                "timeout 0",
                *self.configuration,
                "include /tmp/access.conf",
                "",
            )
        )

    def start_sh(self) -> str:
        users = "".join(map(_user_of_service, self.services))
        return f"{_START}{users}{self.before}exec valkey-server /etc/valkey/valkey.conf\n"


def _user_of_service(service: str) -> str:
    user = names.ServiceNames(service).cache_user
    return f"""\
cat >> /tmp/access.conf <<CONF
user {user} on >$(cat {_SERVICE_SECRETS}/{service}) ~{service}:* &{service}:* +@all -@admin -@dangerous +info
CONF
"""


def client(arguments: str) -> str:
    """Return the shell command that has the server of the same pod do something as the operator."""
    return f"{_CLIENT} {arguments}"


def exporter_flows(component: str, *, scraped: bool) -> tuple[Flow, ...]:
    """Return how the exporter beside a component's servers reaches them, if there is one."""
    return (Flow(Peer(names.valkey_exporter_labels(component)), (names.VALKEY_PORT,)),) if scraped else ()


def _probe(*, period: int, failures: int, command: str = "") -> core.ProbeArgs:
    """Ask by a command, or without one whether the port is open."""
    return core.ProbeArgs(
        exec_=core.ExecActionArgs(command=["sh", "-c", command]) if command else None,
        tcp_socket=None if command else core.TCPSocketActionArgs(port="valkey"),
        period_seconds=period,
        timeout_seconds=3,
        failure_threshold=failures,
    )


def _passwords(servers: Servers) -> dict[str, tuple[str, str]]:
    return {each: (names.ServiceNames(each).cache_secret, names.VALKEY_PASSWORD) for each in servers.services}


class Valkey(Component):
    """Servers with their append-only files on volumes.

    Beside the headless Service that names the pods there is one with an address of its own, for clients that know one
    server: through it they find a restarted pod at once, and not when a cached DNS answer ends. It leads to the first
    server alone. While phase 2 grows, pods of the old release still call it, and know nothing of the other servers,
    which would only answer that a key is elsewhere (`MOVED`).
    """

    def __init__(self, name: str, target: Target, servers: Servers, after: Sequence[pulumi.Resource]) -> None:
        super().__init__(name, target, after)
        self.labels = target.labels(name)
        data = {"valkey.conf": servers.valkey_conf(), "start.sh": servers.start_sh()}
        version = hashlib.sha256("".join(data.values()).encode()).hexdigest()[:12]
        config = core.ConfigMap(f"{name}-config", metadata=self.metadata(servers.name), data=data, opts=self.options())
        flows = networking.NetworkPolicy(
            f"{name}-flows",
            metadata=self.metadata(servers.name),
            spec=network.spec(self.labels, ingress=servers.ingress, egress=servers.egress),
            opts=self.options(),
        )
        port = [core.ServicePortArgs(name="valkey", port=names.VALKEY_PORT, target_port="valkey")]
        # Before the pods: they look for each other by its names, ready or not.
        core.Service(
            f"{name}-pods",
            metadata=self.metadata(servers.pods),
            spec=core.ServiceSpecArgs(
                cluster_ip="None", publish_not_ready_addresses=True, selector=self.labels, ports=port
            ),
            opts=self.options(),
        )
        claims = data_claims(self, servers.name, servers.number, servers.storage)
        self.server = apps.StatefulSet(
            f"{name}-server",
            metadata=self.metadata(servers.name, annotations=pods.PULL_EXCEPTIONS),
            spec=apps.StatefulSetSpecArgs(
                service_name=servers.pods,
                replicas=servers.number,
                # All at once: after a loss of the whole set, none can become whole alone.
                pod_management_policy="Parallel",
                selector=meta.LabelSelectorArgs(match_labels=self.labels),
                template=core.PodTemplateSpecArgs(
                    # A changed configuration is a changed pod, or the server would run on with the old one.
                    metadata=meta.ObjectMetaArgs(
                        labels=self.labels, annotations={"task-manager/configuration": version}
                    ),
                    spec=self._pod(servers),
                ),
                volume_claim_templates=[pods.data_claim(servers.storage, target.storage_class)],
            ),
            opts=self.options(config, flows, *claims, ignore_changes=("spec.volumeClaimTemplates",)),
        )
        core.Service(
            f"{name}-service",
            metadata=self.metadata(servers.name),
            spec=core.ServiceSpecArgs(
                ip_family_policy=network.DUAL_STACK,
                selector={**self.labels, "statefulset.kubernetes.io/pod-name": f"{servers.name}-0"},
                ports=port,
            ),
            opts=self.options(self.server),
        )

    def _pod(self, servers: Servers) -> core.PodSpecArgs:
        mounts = {
            "data": "/data",
            "config": "/etc/valkey",
            "passwords": _SECRET,
            "memory": "/tmp",  # noqa: S108 - a volume of the pod's own
        }
        if servers.services:
            mounts["service-passwords"] = _SERVICE_SECRETS
        fields = {"POD_IP": "status.podIP", **servers.fields}
        return core.PodSpecArgs(
            automount_service_account_token=False,
            image_pull_secrets=self.target.pull_secrets,
            security_context=pods.pod_security(_USER),
            termination_grace_period_seconds=30,
            topology_spread_constraints=pods.spread(self.labels),
            containers=[
                core.ContainerArgs(
                    name="valkey",
                    image=IMAGE,
                    image_pull_policy="IfNotPresent",
                    command=["sh", "/etc/valkey/start.sh"],
                    env=[
                        core.EnvVarArgs(
                            name=variable,
                            value_from=core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path=path)),
                        )
                        for variable, path in fields.items()
                    ],
                    ports=[core.ContainerPortArgs(name="valkey", container_port=names.VALKEY_PORT)],
                    resources=pods.resources(servers.compute),
                    security_context=pods.container_security(),
                    # Five minutes to read back its file; alive as long as it listens; ready when it answers.
                    startup_probe=_probe(period=2, failures=150, command=PING),
                    liveness_probe=_probe(period=10, failures=6),
                    readiness_probe=_probe(period=5, failures=2, command=servers.ready),
                    volume_mounts=[
                        core.VolumeMountArgs(name=volume, mount_path=path, read_only=volume not in ("data", "memory"))
                        for volume, path in mounts.items()
                    ],
                )
            ],
            volumes=[
                core.VolumeArgs(name="config", config_map=core.ConfigMapVolumeSourceArgs(name=servers.name)),
                core.VolumeArgs(
                    name="passwords",
                    secret=core.SecretVolumeSourceArgs(secret_name=servers.secret, default_mode=0o440),
                ),
                core.VolumeArgs(
                    name="memory", empty_dir=core.EmptyDirVolumeSourceArgs(medium="Memory", size_limit="1Mi")
                ),
                *([pods.secret_files("service-passwords", _passwords(servers))] if servers.services else []),
            ],
        )
