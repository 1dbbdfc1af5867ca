"""PostgreSQL by the CloudNativePG operator: a cluster of one or more instances, and a pooler before its primary.

Bringing the database back to a moment makes another cluster beside the one there is (a generation), out of its
backups; the API moves over when that one is ready, and the retired one is hibernated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.networking import v1 as networking

from infra import names
from infra.components import network, pods
from infra.components.base import Component, Target
from infra.components.data import backups, bucket, service_databases
from infra.components.data.bucket import Bucket
from infra.components.data.pooler import pooler_spec
from infra.components.data.service_databases import API_VERSION
from infra.components.network import Flow, Peer
from infra.config.growth import Growth
from infra.config.phase_spec import MAX_CONNECTIONS, PostgreSQL
from infra.config.quantity import quantity
from infra.config.restores import Restore
from infra.config.types import Durability
from infra.names import ClusterGeneration

POSTGRESQL_IMAGE: Final = "ghcr.io/cloudnative-pg/postgresql:15-minimal-bookworm"

# The instance manager in every pod answers the operator, and its siblings, here (cloudnative-pg, pkg/management/url).
_STATUS_PORT: Final = 8000

READY: Final = {"type": "streaming", "maximumLag": "64Mi", "periodSeconds": 10, "failureThreshold": 90}
"""A standby is asked once it follows and has all but four segments. One that does not follow any more stays ready for
a quarter of an hour: the operator promotes none that is not ready, however long it takes until there is an operator
again. What a read may be behind is measured by the API itself."""
_PRIMARY_LEASE: Final = {"leaseDurationSeconds": 3, "renewDeadlineSeconds": 2, "retryPeriodSeconds": 1}
"""The operator chooses the next primary within two seconds, but that one takes over only when it has seen for so long
that the former one does not renew its lease, unless it was given back. A server that is lost gives nothing back, and
the operator's 15 s would be most of a failover. A primary that renews late stays what it is, and one that is cut off
confirms nothing without a standby."""
_SMART_SHUTDOWN_TIMEOUT: Final = 15
"""Seconds that PostgreSQL waits for open transactions at a stop: as long as a statement of the API may take."""
_SWITCHOVER_DELAY: Final = 15
"""Seconds for which a primary that hands over may write back and archive what it has. Then it is stopped as if it had
been lost, which costs nothing that a standby has confirmed: while the bucket is away it would wait for that, a minute
and more in which nobody can write."""


def parameters(row: PostgreSQL) -> dict[str, str]:
    """PostgreSQL's settings for an instance of this size.

    A quarter of the memory for shared buffers and three quarters as the planner's guess of what is cached are the
    starting values of PostgreSQL's documentation (section 20.4) and its wiki. A standby that is away holds back at most
    a quarter of the volume (`max_slot_wal_keep_size`; without it the log fills the volume and stops the primary), or
    half of it if the log has one of its own, and 1 GiB between checkpoints keeps a restart after a crash short.
    """
    memory = row.compute.memory
    log = (row.wal_storage or row.storage) * 1024 // 4
    # A subscription for each service that moves, and two more workers for its first copy. PostgreSQL's 4 are too few,
    # and another number takes a restart, which nobody wants then.
    subscriptions = {"max_logical_replication_workers": "12"} if row.instances > 1 else {}
    return {
        "max_connections": str(MAX_CONNECTIONS),
        "shared_buffers": f"{memory // 4}MB",
        "effective_cache_size": f"{memory * 3 // 4}MB",
        "maintenance_work_mem": f"{memory // 16}MB",
        "max_wal_size": f"{min(log, 1024)}MB",
        **subscriptions,
        "max_slot_wal_keep_size": f"{2 * log if row.wal_storage else log}MB",
        "log_min_duration_statement": "1s",
        "idle_in_transaction_session_timeout": "60s",
    }


@dataclass(frozen=True)
class Plan:
    """Specification of the clusters of a stack's database.

    Args:
        row: sizes and numbers, which the cluster of a service may have of its own.
        durability: see `cluster_spec`.
        bucket: where backups go; None for none.
        restored: the restore that each cluster but the first was made by.
        services: those with a database and a role of their own in the cluster, if several share it.
        former: the cluster that services move out of; None without a growth.
        growth: its step; None without one.
        operator_namespace: where the operator runs; it has to reach every instance.
        scraper: the Prometheus that scrapes instances and poolers; None for none.
    """

    row: PostgreSQL
    durability: Durability
    bucket: Bucket | None
    restored: tuple[Restore, ...]
    services: tuple[str, ...]
    former: ClusterGeneration | None
    growth: Growth | None
    operator_namespace: str
    scraper: Peer | None

    def source_of(self, generation: ClusterGeneration) -> ClusterGeneration | None:
        """Return the cluster out of which services' tables move into this one, itself perhaps; None without any."""
        moving = self.growth is not None and self.growth.former_serves
        return self.former if moving and (self.services or generation != self.former) else None


def cluster_spec(plan: Plan, generation: ClusterGeneration, target: Target) -> dict[str, Any]:
    """The `Cluster` of a phase.

    Writes are confirmed by a standby as well as by the primary (`method: any`, `number: 1`), so that losing the primary
    loses none. `required` is the default though phase 2 has a single standby, and writes wait while it restarts:
    `preferred` would go on without it and then, if the primary is lost before the standby has caught up, take back
    writes that users were told are safe. Waiting can be retried, a broken promise cannot. Reads go on either way.
    """
    row = plan.row
    alone = row.instances == 1
    postgresql: dict[str, Any] = {"parameters": parameters(row), **service_databases.access_rules(plan.services)}
    availability: dict[str, Any] = {}
    if not alone:
        availability = {"probes": {"readiness": READY}, "primaryLease": _PRIMARY_LEASE}
        postgresql["synchronous"] = {"method": "any", "number": 1, "dataDurability": str(plan.durability)}
        if plan.durability is Durability.REQUIRED:
            availability["switchoverDelay"] = _SWITCHOVER_DELAY
    first = names.ServiceNames(generation.service).database
    bootstrap: dict[str, Any] = {
        "bootstrap": {"initdb": {"database": first, "owner": first, "dataChecksums": True}},
    }
    if generation.number > 1:
        bootstrap = backups.recovery(generation, plan.restored)
    if source := plan.source_of(generation):
        bootstrap.setdefault("externalClusters", []).append(service_databases.former_cluster(source))
    return {
        "instances": row.instances,
        "imageName": POSTGRESQL_IMAGE,
        **({"imagePullSecrets": target.pull_secrets} if target.pull_secrets else {}),
        # A budget for a single instance would block the drain of its node for ever.
        "enablePDB": not alone,
        # With a standby, the primary is updated by handing over to it: a few seconds instead of a restart's.
        "primaryUpdateMethod": "restart" if alone else "switchover",
        "primaryUpdateStrategy": "unsupervised",
        # Poolers' connections outlast even the operator's default of three minutes.
        "smartShutdownTimeout": _SMART_SHUTDOWN_TIMEOUT,
        **bootstrap,
        **service_databases.roles(plan.services, plan.growth if generation == plan.former else None),
        **(backups.archiving(generation, plan.restored) if plan.bucket else {}),
        # By these the policies and Prometheus find the pods, whatever the cluster is called.
        "inheritedMetadata": {"labels": {**generation.labels, **bucket.pod_labels(plan.bucket)}},
        **bucket.service_account(plan.bucket),
        "postgresql": postgresql,
        **availability,
        "storage": _volume(row.storage, target.storage_class),
        **({"walStorage": _volume(row.wal_storage, target.storage_class)} if row.wal_storage else {}),
        "resources": row.compute.resources(),
        # Preferred, not required: on a single node the standby still comes up.
        "affinity": {
            "enablePodAntiAffinity": True,
            "podAntiAffinityType": "preferred",
            "topologyKey": "kubernetes.io/hostname",
        },
        # The anti-affinity has one dimension. The operator's join Jobs take these too, and with them a volume's zone.
        "topologySpreadConstraints": pods.spread(
            {"cnpg.io/cluster": generation.cluster, "cnpg.io/podRole": "instance"}
        ),
    }


def _volume(gibibytes: int, storage_class: str | None) -> dict[str, str]:
    return {"size": quantity(gibibytes, "Gi"), **({"storageClass": storage_class} if storage_class else {})}


class Database(Component):
    """A PostgreSQL cluster with its poolers, scheduled backups and network policies.

    The operator makes the Services `…-rw`, `…-ro`, `…-r` and the Secret `…-app`, and keeps the password out of here.

    Args:
        plan: specification of the cluster.
        generation: which cluster it is.
        hibernated: whether only its volumes are kept. Its pods are removed after what moves the API away from them.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        plan: Plan,
        generation: ClusterGeneration,
        hibernated: bool = False,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        self.plan = plan
        self.generation = generation
        if hibernated:
            self._cluster({"cnpg.io/hibernation": "on", "pulumi.com/waitFor": "condition=cnpg.io/hibernation"})
        else:
            flows = self._flows()
            # The chart's migration runs next, and needs a primary that answers.
            cluster = self._cluster({"pulumi.com/waitFor": "condition=Ready"}, flows)
            for service in plan.services:
                self._database(service, cluster)
            if plan.bucket:
                self._schedule(cluster)
            self._poolers(flows)
        self.register_outputs({"primary": generation.primary})

    def _flows(self) -> pulumi.Resource:
        labels, scraper = self.generation.labels, self.plan.scraper
        mine, clients = Peer(labels), names.ServiceNames(self.generation.service)
        source = self.plan.source_of(self.generation)
        other = source if source != self.generation else None
        subscriptions = (Flow(Peer(other.labels), (names.DATABASE_PORT,)),) if other else ()
        return networking.NetworkPolicy(
            f"{self.name}-flows",
            metadata=self.metadata(f"{clients.release}-database", annotations=pods.OPERATORS_PODS),
            spec=network.spec(
                labels,
                ingress=(
                    Flow(Peer(clients.labels if clients.suffix else names.API_LABELS), (names.DATABASE_PORT,)),
                    Flow(mine, (names.DATABASE_PORT, _STATUS_PORT)),
                    Flow(Peer(namespace=self.plan.operator_namespace), (names.DATABASE_PORT, _STATUS_PORT)),
                    *((Flow(scraper, names.DATABASE_METRICS_PORTS),) if scraper else ()),
                ),
                egress=(
                    Flow(mine, (names.DATABASE_PORT, _STATUS_PORT)),
                    *subscriptions,
                    self.target.api_server,
                    *bucket.flows(self.plan.bucket),
                ),
            ),
            opts=self.options(),
        )

    def _cluster(self, annotations: dict[str, str], *after: pulumi.Resource) -> pulumi.Resource:
        return CustomResource(
            f"{self.generation.resource}-cluster{self.generation.suffix}",
            api_version=API_VERSION,
            kind="Cluster",
            metadata=self.metadata(self.generation.cluster, annotations=annotations),
            spec=cluster_spec(self.plan, self.generation, self.target),
            opts=self.options(
                *after,
                protect=True,
                # One that comes out of backups reads them all first.
                minutes=15 if self.generation.number == 1 else 240,
                # They are part of the pods: added to a cluster that is there, they would restart all its servers.
                ignore_changes=("spec.topologySpreadConstraints",),
            ),
        )

    def _database(self, service: str, cluster: pulumi.Resource) -> None:
        own = names.ServiceNames(service)
        CustomResource(
            f"{self.generation.resource}{self.generation.suffix}-of-{service}",
            api_version=API_VERSION,
            kind="Database",
            metadata=self.metadata(
                f"{self.generation.cluster}-{service}",
                annotations={"pulumi.com/waitFor": "jsonpath={.status.applied}=true"},
            ),
            spec=service_databases.database_spec(own, self.generation.cluster),
            opts=self.options(cluster, protect=True, minutes=3),
        )

    def _schedule(self, cluster: pulumi.Resource) -> None:
        CustomResource(
            f"{self.generation.resource}-backups{self.generation.suffix}",
            api_version=API_VERSION,
            kind="ScheduledBackup",
            metadata=self.metadata(self.generation.cluster),
            spec=backups.schedule_spec(self.generation),
            opts=self.options(cluster),
        )

    def _poolers(self, flows: pulumi.Resource) -> None:
        row, own = self.plan.row, self.generation
        if row.poolers:
            self._pooler(f"{own.resource}-pooler{own.suffix}", own.pooler, "rw", row.poolers, flows)
        if row.replica_poolers:
            self._pooler(
                f"{own.resource}-replica-pooler{own.suffix}", own.replica_pooler, "ro", row.replica_poolers, flows
            )

    def _pooler(
        self, resource: str, name: str, kind: Literal["rw", "ro"], instances: int, flows: pulumi.Resource
    ) -> None:
        CustomResource(
            resource,
            api_version=API_VERSION,
            kind="Pooler",
            metadata=self.metadata(
                name,
                annotations={
                    "pulumi.com/waitFor": f"jsonpath={{.status.instances}}={instances}",
                    # The operator makes what a pooler owns anew, also while it waits for that to be gone.
                    "pulumi.com/deletionPropagationPolicy": "background",
                },
            ),
            spec=pooler_spec(
                name, self.generation, kind, instances, max(1, len(self.plan.services)), self.target.pull_secrets
            ),
            # Not after the cluster: its pods need the operator's Secrets alone and start while the cluster does, so
            # that the chart's migration finds them answering.
            opts=self.options(flows, minutes=15),
        )
        self.disruption_budget(name, {"cnpg.io/poolerName": name}, resource)
