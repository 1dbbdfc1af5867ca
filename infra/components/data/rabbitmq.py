"""RabbitMQ: the nodes that carry events between services and Celery's messages to workers."""

import hashlib
from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.rbac import v1 as rbac

from infra import names
from infra.components import network, pods
from infra.components.base import Component, Target
from infra.components.claims import data_claims
from infra.components.data import rabbitmq_config
from infra.components.network import Flow, Peer
from infra.components.secret_access import TOKEN_EXCEPTION
from infra.config import phase_spec

IMAGE: Final = "docker.io/library/rabbitmq:4.0.5"
_USER: Final = 10007  # above every user of a host; the node needs none in particular
_DISTRIBUTION: Final = names.RABBITMQ_PORTS_AMONG_NODES[-1]


class RabbitMQ(Component):
    """The nodes, with their queues on volumes. Any majority of them has every message that a publisher was confirmed.

    A single node has no disruption budget: it would block the drain of its node for ever.

    Args:
        row: sizes and number.
        scraper: who asks for metrics; None for nobody.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        row: phase_spec.RabbitMQ,
        scraper: Peer | None,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        self.labels = target.labels(name)
        self._row = row
        rights = self._rights()
        flows = self._flows(scraper)
        data = {
            "rabbitmq.conf": rabbitmq_config.rabbitmq_conf(row),
            "distribution-tls.config": rabbitmq_config.distribution_tls(),
            "enabled_plugins": rabbitmq_config.enabled_plugins(),
            "start.sh": rabbitmq_config.start_sh(),
            "stop.sh": rabbitmq_config.stop_sh(),
        }
        version = hashlib.sha256("".join(data.values()).encode()).hexdigest()[:12]
        config = core.ConfigMap(
            f"{name}-config", metadata=self.metadata(names.RABBITMQ), data=data, opts=self.options()
        )
        # Before the pods: they look for each other by its names, ready or not.
        nodes = core.Service(
            f"{name}-nodes",
            metadata=self.metadata(names.RABBITMQ_NODES),
            spec=core.ServiceSpecArgs(
                cluster_ip="None",
                publish_not_ready_addresses=True,
                selector=self.labels,
                ports=[core.ServicePortArgs(name="distribution", port=_DISTRIBUTION, target_port="distribution")],
            ),
            opts=self.options(),
        )
        claims = data_claims(self, names.RABBITMQ, row.nodes, row.storage)
        server = apps.StatefulSet(
            f"{name}-server",
            metadata=self.metadata(names.RABBITMQ, annotations={**pods.PULL_EXCEPTIONS, **TOKEN_EXCEPTION}),
            spec=apps.StatefulSetSpecArgs(
                service_name=names.RABBITMQ_NODES,
                replicas=row.nodes,
                # All at once: after a loss of all nodes, the first waits for those that ended after it.
                pod_management_policy="Parallel",
                selector=meta.LabelSelectorArgs(match_labels=self.labels),
                template=core.PodTemplateSpecArgs(
                    # A changed configuration is a changed pod, or the node would run on with the old one.
                    metadata=meta.ObjectMetaArgs(
                        labels=self.labels, annotations={"task-manager/configuration": version}
                    ),
                    spec=self._pod(),
                ),
                volume_claim_templates=[pods.data_claim(row.storage, target.storage_class)],
            ),
            opts=self.options(config, flows, nodes, *rights, *claims, ignore_changes=("spec.volumeClaimTemplates",)),
        )
        core.Service(
            f"{name}-service",
            metadata=self.metadata(names.RABBITMQ),
            spec=core.ServiceSpecArgs(
                ip_family_policy=network.DUAL_STACK,
                selector=self.labels,
                ports=[
                    core.ServicePortArgs(name=port, port=number, target_port=port)
                    for port, number in (
                        ("amqps", names.RABBITMQ_PORT),
                        ("management", names.RABBITMQ_MANAGEMENT_PORT),
                    )
                ],
            ),
            opts=self.options(server),
        )
        if row.nodes > 1:
            self.disruption_budget(names.RABBITMQ, self.labels)
        self.register_outputs({"service": names.RABBITMQ})

    def _flows(self, scraper: Peer | None) -> networking.NetworkPolicy:
        siblings = Flow(Peer(names.RABBITMQ_LABELS), names.RABBITMQ_PORTS_AMONG_NODES)
        ingress = (
            siblings,
            Flow(Peer(names.API_LABELS), (names.RABBITMQ_PORT,)),
            Flow(
                Peer(names.RABBITMQ_CONFIGURATION_LABELS),
                (names.RABBITMQ_PORT, names.RABBITMQ_MANAGEMENT_PORT),
            ),
            *((Flow(scraper, (names.RABBITMQ_METRICS_PORT,)),) if scraper else ()),
        )
        return networking.NetworkPolicy(
            f"{self.name}-flows",
            metadata=self.metadata(names.RABBITMQ),
            spec=network.spec(self.labels, ingress=ingress, egress=(siblings, self.target.api_server)),
            opts=self.options(),
        )

    def _rights(self) -> tuple[pulumi.Resource, ...]:
        """Make the account by which a new node finds the others (RabbitMQ up to 4.0 asks for the Service's end points),
        and reports what it does as an event."""
        metadata = self.metadata(names.RABBITMQ)
        account = core.ServiceAccount(
            f"{self.name}-account", metadata=metadata, automount_service_account_token=False, opts=self.options()
        )
        role = rbac.Role(
            f"{self.name}-role",
            metadata=metadata,
            rules=[
                rbac.PolicyRuleArgs(
                    api_groups=[""], resources=["endpoints"], resource_names=[names.RABBITMQ_NODES], verbs=["get"]
                ),
                rbac.PolicyRuleArgs(api_groups=[""], resources=["events"], verbs=["create"]),
            ],
            opts=self.options(),
        )
        binding = rbac.RoleBinding(
            f"{self.name}-binding",
            metadata=metadata,
            role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=names.RABBITMQ),
            subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=names.RABBITMQ, namespace=self.target.namespace)],
            opts=self.options(account, role),
        )
        return account, binding

    def _pod(self) -> core.PodSpecArgs:
        mounts = {
            "data": rabbitmq_config.DATA,
            "config": rabbitmq_config.CONFIG,
            "secrets": rabbitmq_config.SECRETS,
            "certificate": rabbitmq_config.CERTIFICATE,
            "memory": rabbitmq_config.MEMORY,
        }
        ports = {
            "amqps": names.RABBITMQ_PORT,
            "management": names.RABBITMQ_MANAGEMENT_PORT,
            "metrics": names.RABBITMQ_METRICS_PORT,
            "distribution": _DISTRIBUTION,
        }
        return core.PodSpecArgs(
            service_account_name=names.RABBITMQ,
            automount_service_account_token=True,
            image_pull_secrets=self.target.pull_secrets,
            security_context=pods.pod_security(_USER),
            termination_grace_period_seconds=rabbitmq_config.GRACE_SECONDS,
            topology_spread_constraints=pods.spread(self.labels),
            containers=[
                core.ContainerArgs(
                    name="rabbitmq",
                    image=IMAGE,
                    image_pull_policy="IfNotPresent",
                    command=["sh", f"{rabbitmq_config.CONFIG}/start.sh"],
                    env=[
                        core.EnvVarArgs(
                            name="POD_NAME",
                            value_from=core.EnvVarSourceArgs(
                                field_ref=core.ObjectFieldSelectorArgs(field_path="metadata.name")
                            ),
                        ),
                        *(core.EnvVarArgs(name=name, value=value) for name, value in rabbitmq_config.VARIABLES.items()),
                    ],
                    ports=[core.ContainerPortArgs(name=port, container_port=number) for port, number in ports.items()],
                    resources=pods.resources(self._row.compute),
                    security_context=pods.container_security(),
                    # Ten minutes to find the others and to read back its queues. It takes clients when it is of the
                    # cluster's majority; it lives as long as the runtime does: a node that pauses is no broken one.
                    startup_probe=_probe("amqps", period=5, failures=120),
                    readiness_probe=_probe("amqps", period=10, failures=3),
                    liveness_probe=_probe("distribution", period=15, failures=6),
                    lifecycle=core.LifecycleArgs(
                        pre_stop=core.LifecycleHandlerArgs(
                            exec_=core.ExecActionArgs(command=["sh", f"{rabbitmq_config.CONFIG}/stop.sh"])
                        )
                    )
                    if self._row.nodes > 1
                    else None,
                    volume_mounts=[
                        core.VolumeMountArgs(
                            name=volume, mount_path=path, read_only=volume in ("config", "secrets", "certificate")
                        )
                        for volume, path in mounts.items()
                    ],
                )
            ],
            volumes=[
                core.VolumeArgs(name="config", config_map=core.ConfigMapVolumeSourceArgs(name=names.RABBITMQ)),
                core.VolumeArgs(
                    name="secrets",
                    secret=core.SecretVolumeSourceArgs(secret_name=names.RABBITMQ, default_mode=0o440),
                ),
                core.VolumeArgs(
                    name="certificate",
                    secret=core.SecretVolumeSourceArgs(
                        secret_name=names.RABBITMQ_CERTIFICATE,
                        default_mode=0o440,
                        # Without the authority's key.
                        items=[core.KeyToPathArgs(key=key, path=key) for key in rabbitmq_config.CERTIFICATE_FILES],
                    ),
                ),
                core.VolumeArgs(
                    name="memory", empty_dir=core.EmptyDirVolumeSourceArgs(medium="Memory", size_limit="8Mi")
                ),
            ],
        )


def _probe(port: str, *, period: int, failures: int) -> core.ProbeArgs:
    """Whether a port is open: RabbitMQ's own commands take a second of a processor each."""
    return core.ProbeArgs(
        tcp_socket=core.TCPSocketActionArgs(port=port),
        period_seconds=period,
        timeout_seconds=3,
        failure_threshold=failures,
    )
