"""Managed node groups, one a zone, in private subnets."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.platform import sizes
from infra.platform.clusters.aws.network import Network
from infra.platform.clusters.aws.roles import service_role
from infra.platform.clusters.base import Cluster


def make_nodes(
    cluster: aws.eks.Cluster,
    row: sizes.Eks,
    pool: sizes.NodePool,
    network: Network,
    made: Cluster,
    after: Sequence[pulumi.Resource],
) -> list[pulumi.Resource]:
    """Make the groups: an autoscaler that puts a pod where its volume is has to choose the zone."""
    policies = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"]
    role, attached = service_role("nodes", "ec2.amazonaws.com", policies, made)
    template = aws.ec2.LaunchTemplate(
        "nodes",
        update_default_version=True,
        # One hop: the node asks for its credentials, and no pod in a network of its own can.
        metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
        ),
        block_device_mappings=[
            aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                device_name="/dev/xvda",
                ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                    volume_size=row.disk, volume_type="gp3", encrypted="true", delete_on_termination="true"
                ),
            )
        ],
        opts=made.options(),
    )
    return [
        aws.eks.NodeGroup(
            f"nodes-{index}",
            cluster_name=cluster.name,
            version=cluster.version,
            node_role_arn=role.arn,
            subnet_ids=[subnet.id],
            ami_type="AL2023_x86_64_STANDARD",
            instance_types=[pool.size],
            launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                min_size=pool.least, max_size=pool.most, desired_size=pool.least
            ),
            # EKS starts as many new nodes before it drains old ones.
            update_config=aws.eks.NodeGroupUpdateConfigArgs(max_unavailable_percentage=33),
            node_repair_config=aws.eks.NodeGroupNodeRepairConfigArgs(enabled=True),
            # An autoscaler's, where there is one.
            opts=made.options(*attached, *network.ready, *after, ignore_changes=("scalingConfig.desiredSize",)),
        )
        for index, subnet in enumerate(network.private[: row.zones])
    ]
