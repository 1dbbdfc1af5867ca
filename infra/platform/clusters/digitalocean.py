"""A DigitalOcean Kubernetes cluster (DOKS), with network, container registry and a bucket for backups."""

from typing import Any

import pulumi
import pulumi_digitalocean as digitalocean
import pulumi_kubernetes as kubernetes

from infra.config.project import PLATFORM
from infra.platform import sizes
from infra.platform.clusters.base import Cluster, ConnectedCluster
from infra.platform.clusters.kubeconfig import kubeconfig
from infra.platform.settings import PlatformSettings

STORAGE_CLASS = "do-block-storage"
"""The cluster's own, whose volumes are encrypted at rest (docs.digitalocean.com/products/volumes)."""
WEEK = 7 * 24 * 3600


def check_region(settings: PlatformSettings, wanted: str, options: pulumi.InvokeOptions) -> None:
    """Ask DigitalOcean whether it has the region, and the size of node in it.

    Raises:
        pulumi.RunError: one line that names those there are.
    """
    regions = {region.slug: region for region in digitalocean.get_regions(opts=options).regions if region.available}
    region = regions.get(settings.region)
    if region is None:
        raise pulumi.RunError(
            f"{PLATFORM.name}:region: DigitalOcean has no {settings.region!r}: set one of {', '.join(sorted(regions))}"
        )
    if wanted not in region.sizes:
        raise pulumi.RunError(
            f"{PLATFORM.name}:nodes.size: DigitalOcean has no {wanted} in {settings.region}: set another size or region"
        )


def private_network(settings: PlatformSettings, name: str, made: Cluster) -> digitalocean.Vpc:
    """Make the network that a server or a cluster of this name is in."""
    return digitalocean.Vpc(
        "network",
        name=name,
        region=settings.region,
        ip_range=settings.network,
        opts=made.options(holds_data=True),
    )


def connect_digitalocean(settings: PlatformSettings, row: sizes.Doks, name: str) -> ConnectedCluster:
    """Make the cluster and what it stands on.

    Args:
        row: of the size table.
        name: of the cluster, and of what belongs to it.
    """
    cloud = digitalocean.Provider("digitalocean")
    asking = pulumi.InvokeOptions(provider=cloud)
    pool = settings.pool(row.nodes or sizes.NodePool(sizes.FIRST_NODE, 1, 1))
    check_region(settings, pool.size, asking)

    made = Cluster("DigitalOcean", protect=settings.protect, provider=cloud)
    network = private_network(settings, name, made)
    registry = settings.registry.name or _registry(row, settings, made)
    cluster = _cluster(settings, row, name, network, made, asking)
    nodes = [_nodes(pool, cluster, made)] if row.nodes else []

    found = pulumi.Output.all(cluster.endpoint, cluster.kube_configs).apply(lambda known: _kubeconfig(name, *known))
    config: pulumi.Output[str] = pulumi.Output.secret(found)
    environment: dict[str, Any] = {"context": name, "storage_class": STORAGE_CLASS}
    outputs: dict[str, Any] = {"registry": pulumi.Output.concat("registry.digitalocean.com/", registry)}
    if row.bucket:
        bucket, key = _bucket(settings, name, made)
        endpoint = f"https://{settings.region}.digitaloceanspaces.com"
        environment |= {"backups.bucket": bucket.name, "backups.endpoint": endpoint}
        outputs["backup_credentials"] = pulumi.Output.secret(
            {"access-key-id": key.access_key, "secret-access-key": key.secret_key, "region": settings.region}
        )
    return ConnectedCluster(
        provider=kubernetes.Provider(
            "cluster",
            kubeconfig=config,
            cluster_identifier=cluster.id,
            opts=pulumi.ResourceOptions(depends_on=[cluster, *nodes]),
        ),
        kubeconfig=config,
        cloud=settings.cluster,
        region=settings.region,
        identity={"cluster_id": cluster.id, "network": network.id},
        environment=environment,
        outputs={"cluster": cluster.id, **outputs},
    )


def _cluster(
    settings: PlatformSettings,
    row: sizes.Doks,
    name: str,
    network: digitalocean.Vpc,
    made: Cluster,
    asking: pulumi.InvokeOptions,
) -> digitalocean.KubernetesCluster:
    # The newest patch of the minor version: what DigitalOcean's own upgrades lead to, so neither undoes the other.
    versions = digitalocean.get_kubernetes_versions(version_prefix=f"{settings.kubernetes_version}.", opts=asking)
    if not versions.valid_versions:
        raise pulumi.RunError(
            f"{PLATFORM.name}:kubernetes_version: DigitalOcean has no {settings.kubernetes_version}: set another one"
        )
    return digitalocean.KubernetesCluster(
        "cluster",
        name=name,
        region=settings.region,
        version=versions.latest_version,
        vpc_uuid=network.id,
        ha=row.highly_available,
        auto_upgrade=True,
        surge_upgrade=True,
        maintenance_policy=digitalocean.KubernetesClusterMaintenancePolicyArgs(day="sunday", start_time="03:00"),
        control_plane_firewall=digitalocean.KubernetesClusterControlPlaneFirewallArgs(
            enabled=True, allowed_addresses=settings.administrators
        ),
        registry_integration=True,
        destroy_all_associated_resources=False,  # volumes and load balancers outlive a cluster that is destroyed
        kubeconfig_expire_seconds=WEEK,
        node_pool=digitalocean.KubernetesClusterNodePoolArgs(name="first", size=sizes.FIRST_NODE, node_count=1),
        opts=made.options(holds_data=True),
    )


def _nodes(pool: sizes.NodePool, cluster: digitalocean.KubernetesCluster, made: Cluster) -> pulumi.Resource:
    # Named after its size: where that changes, the new pool is there before the old one goes.
    nodes: pulumi.Resource = digitalocean.KubernetesNodePool(
        "nodes",
        cluster_id=cluster.id,
        name=f"nodes-{pool.size}",
        size=pool.size,
        auto_scale=True,
        min_nodes=pool.least,
        max_nodes=pool.most,
        opts=made.options(),
    )
    return nodes


def _registry(row: sizes.Doks, settings: PlatformSettings, made: Cluster) -> pulumi.Output[str]:
    # No name is given: those of registries and buckets are shared with every customer, so they end in random letters.
    registry = digitalocean.ContainerRegistry(
        "task-manager",
        region=settings.region,
        subscription_tier_slug=row.registry,
        # DigitalOcean has registries in fewer regions than clusters, and moves none.
        opts=made.options(holds_data=True, ignore_changes=("region",)),
    )
    name: pulumi.Output[str] = registry.name
    return name


def _bucket(
    settings: PlatformSettings, name: str, made: Cluster
) -> tuple[digitalocean.SpacesBucket, digitalocean.SpacesKey]:
    """Make the bucket, and a key that reads and writes it alone."""
    bucket = digitalocean.SpacesBucket(
        "task-manager-backups",
        region=settings.region,
        acl="private",
        versioning=digitalocean.SpacesBucketVersioningArgs(enabled=True),
        lifecycle_rules=[
            digitalocean.SpacesBucketLifecycleRuleArgs(
                id="former-versions",
                enabled=True,
                abort_incomplete_multipart_upload_days=7,
                noncurrent_version_expiration=digitalocean.SpacesBucketLifecycleRuleNoncurrentVersionExpirationArgs(
                    days=settings.backup_days
                ),
            )
        ],
        force_destroy=False,
        opts=made.options(holds_data=True, retain=True),
    )
    key = digitalocean.SpacesKey(
        "backups",
        name=f"{name}-backups",
        grants=[digitalocean.SpacesKeyGrantArgs(bucket=bucket.name, permission="readwrite")],
        opts=made.options(),
    )
    return bucket, key


def _kubeconfig(name: str, endpoint: str, configs: Any) -> str:
    found = configs[0]
    return kubeconfig(
        name,
        server=endpoint,
        certificate=found["cluster_ca_certificate"],
        user={"token": found["token"]},
    )
