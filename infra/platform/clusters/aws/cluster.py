"""The EKS cluster: control plane, nodes and add-ons of EKS."""

import json

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.storage import v1 as storage

from infra import names
from infra.config.project import PLATFORM
from infra.platform import sizes
from infra.platform.clusters.aws import policies
from infra.platform.clusters.aws.network import ZONES, Network, make_network
from infra.platform.clusters.aws.nodes import make_nodes
from infra.platform.clusters.aws.roles import ServiceAccountRoles, service_role
from infra.platform.clusters.aws.storage import make_bucket, make_registry
from infra.platform.clusters.base import Cluster, ConnectedCluster
from infra.platform.clusters.kubeconfig import kubeconfig
from infra.platform.settings import PlatformSettings

STORAGE_CLASS = "gp3"
CONTROLLER = "aws-load-balancer-controller"


def choose_zones(settings: PlatformSettings, cloud: aws.Provider, wanted: str, served: int) -> tuple[list[str], str]:
    """Ask AWS for three zones, and whether it has the type of node in those that shall have nodes.

    Args:
        wanted: instance type.
        served: number of zones with nodes.

    Returns:
        The zones and the account's number.

    Raises:
        pulumi.RunError: one line that says what there is.
    """
    # A provider of an unknown region cannot be asked which ones there are.
    asking = aws.Provider("aws-regions", region="us-east-1")
    regions = aws.get_regions(opts=pulumi.InvokeOptions(provider=asking)).names
    if settings.region not in regions:
        raise pulumi.RunError(
            f"{PLATFORM.name}:region: AWS has no {settings.region!r} for this account: set one of"
            f" {', '.join(sorted(regions))}"
        )
    options = pulumi.InvokeOptions(provider=cloud)
    ordinary = aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])
    zones = sorted(aws.get_availability_zones(filters=[ordinary], opts=options).names)[:ZONES]
    if len(zones) < ZONES:
        raise pulumi.RunError(
            f"{PLATFORM.name}:region: {settings.region} has fewer than {ZONES} zones: set another one"
        )
    offered = aws.ec2.get_instance_type_offerings(
        location_type="availability-zone",
        filters=[aws.ec2.GetInstanceTypeOfferingsFilterArgs(name="instance-type", values=[wanted])],
        opts=options,
    ).locations
    if lacking := [zone for zone in zones[:served] if zone not in offered]:
        raise pulumi.RunError(
            f"{PLATFORM.name}:nodes.size: AWS has no {wanted} in {', '.join(lacking)}: set another size or region"
        )
    return zones, aws.get_caller_identity(opts=options).account_id


def connect_aws(settings: PlatformSettings, row: sizes.Eks, name: str) -> ConnectedCluster:
    """Make the cluster and what it stands on.

    Args:
        row: of the size table.
        name: of the cluster.
    """
    tags = aws.ProviderDefaultTagsArgs(tags={"task-manager-platform": name})
    cloud = aws.Provider("aws", region=settings.region, default_tags=tags)
    pool = settings.pool(row.nodes)
    zones, account = choose_zones(settings, cloud, pool.size, row.zones)

    made = Cluster("Aws", protect=settings.protect, provider=cloud)
    network = make_network(
        name,
        settings.network,
        zones,
        served_zones=row.zones,
        nat_gateways=row.nat_gateways,
        region=settings.region,
        made=made,
    )
    cluster = _control_plane(settings, name, network, made)
    issuer = cluster.identities[0].oidcs[0].issuer.apply(str)
    provider = aws.iam.OpenIdConnectProvider(
        "service-accounts", url=issuer, client_id_lists=["sts.amazonaws.com"], opts=made.options()
    )
    roles = ServiceAccountRoles(provider, issuer, made)
    network_addon = _addon(
        "vpc-cni",
        cluster,
        made,
        # Without this EKS enforces no NetworkPolicy.
        configuration_values=json.dumps({"enableNetworkPolicy": "true"}),
        service_account_role_arn=_network_role(roles).arn,
    )
    nodes = make_nodes(cluster, row, pool, network, made, after=[network_addon, _addon("kube-proxy", cluster, made)])
    volumes = roles.managed("volumes", "ebs-csi-controller-sa", "AmazonEBSCSIDriverPolicy")
    addons = [
        _addon("coredns", cluster, made, *nodes),
        _addon("aws-ebs-csi-driver", cluster, made, *nodes, service_account_role_arn=volumes.arn),
    ]

    registry = make_registry(name, made)
    bucket = make_bucket(settings.backup_days, made)
    backups = roles.own("backups", f"{names.PROJECT}-*", f"{names.DATABASE_CLUSTER}*", policies.backups, bucket.arn)
    controller = roles.own(
        "load-balancer-controller",
        "kube-system",
        CONTROLLER,
        lambda vpc: policies.load_balancer_controller(settings.region, account, vpc, name),
        network.vpc.arn,
    )
    config = pulumi.Output.all(cluster.endpoint, cluster.certificate_authority).apply(
        lambda known: _kubeconfig(name, settings.region, known[0], known[1]["data"])
    )
    connected = kubernetes.Provider(
        "cluster",
        kubeconfig=config,
        cluster_identifier=cluster.arn,
        opts=pulumi.ResourceOptions(depends_on=[cluster, *nodes, *addons]),
    )
    _storage_class(connected)
    return ConnectedCluster(
        provider=connected,
        kubeconfig=config,
        cloud=settings.cluster,
        region=settings.region,
        identity={
            "cluster_name": cluster.name,
            "vpc_id": network.vpc.id,
            "load_balancer_controller_role": controller.arn,
            "backup_role": backups.arn,
        },
        environment={
            "context": name,
            "storage_class": STORAGE_CLASS,
            "backups.bucket": bucket.bucket,
            "backups.identity": backups.arn,
        },
        outputs={"cluster": cluster.arn, "registry": registry.repository_url},
    )


def _control_plane(settings: PlatformSettings, name: str, network: Network, made: Cluster) -> aws.eks.Cluster:
    role, attached = service_role("control-plane", "eks.amazonaws.com", ["AmazonEKSClusterPolicy"], made)
    key = aws.kms.Key(
        "secrets",
        description=f"Secrets of the cluster {name}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        opts=made.options(holds_data=True),
    )
    # Made before the cluster, which would make it without an end of what it keeps.
    logs = aws.cloudwatch.LogGroup(
        "control-plane", name=f"/aws/eks/{name}/cluster", retention_in_days=30, opts=made.options()
    )
    return aws.eks.Cluster(
        "cluster",
        name=name,
        version=settings.kubernetes_version,
        role_arn=role.arn,
        deletion_protection=settings.protect,
        bootstrap_self_managed_addons=False,
        access_config=aws.eks.ClusterAccessConfigArgs(
            authentication_mode="API", bootstrap_cluster_creator_admin_permissions=True
        ),
        vpc_config=aws.eks.ClusterVpcConfigArgs(
            subnet_ids=[subnet.id for subnet in network.private],
            endpoint_private_access=True,
            endpoint_public_access=True,
            public_access_cidrs=settings.administrators,
        ),
        encryption_config=aws.eks.ClusterEncryptionConfigArgs(
            provider=aws.eks.ClusterEncryptionConfigProviderArgs(key_arn=key.arn), resources=["secrets"]
        ),
        enabled_cluster_log_types=["api", "audit", "authenticator"],
        # Extended support costs six times as much; a version at its end is upgraded instead.
        upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
        opts=made.options(*attached, logs, holds_data=True),
    )


def _network_role(roles: ServiceAccountRoles) -> aws.iam.Role:
    role = roles.role("pod-network", "kube-system", "aws-node")
    aws.iam.RolePolicyAttachment(
        "pod-network",
        role=role.name,
        policy_arn="arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
        opts=roles.made.options(),
    )
    return role


def _addon(
    name: str,
    cluster: aws.eks.Cluster,
    made: Cluster,
    *after: pulumi.Resource,
    configuration_values: str | None = None,
    service_account_role_arn: pulumi.Input[str] | None = None,
) -> aws.eks.Addon:
    return aws.eks.Addon(
        name,
        cluster_name=cluster.name,
        addon_name=name,
        configuration_values=configuration_values,
        service_account_role_arn=service_account_role_arn,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="PRESERVE",
        opts=made.options(*after),
    )


def _storage_class(provider: kubernetes.Provider) -> None:
    storage.StorageClass(
        STORAGE_CLASS,
        metadata=meta.ObjectMetaArgs(
            name=STORAGE_CLASS, annotations={"storageclass.kubernetes.io/is-default-class": "true"}
        ),
        provisioner="ebs.csi.aws.com",
        parameters={"type": "gp3", "encrypted": "true"},
        # A volume is made in the zone that its pod has been given.
        volume_binding_mode="WaitForFirstConsumer",
        allow_volume_expansion=True,
        opts=pulumi.ResourceOptions(provider=provider),
    )


def _kubeconfig(name: str, region: str, endpoint: str, certificate: str) -> str:
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "aws",
            "args": ["eks", "get-token", "--cluster-name", name, "--region", region, "--output", "json"],
            "interactiveMode": "Never",
        }
    }
    return kubeconfig(name, server=endpoint, certificate=certificate, user=user)
