"""VPC over three zones: nodes in private subnets, load balancers and NAT gateways in public ones."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.platform.clusters.base import Cluster

ZONES = 3


@dataclass(frozen=True)
class Network:
    """The network.

    Args:
        vpc: it is.
        private: subnets by zone, in the order of the zones.
        public: the same, for load balancers.
        ready: what has to be there before a node can reach anything.
    """

    vpc: aws.ec2.Vpc
    private: tuple[aws.ec2.Subnet, ...]
    public: tuple[aws.ec2.Subnet, ...]
    ready: tuple[pulumi.Resource, ...]


def subnets(network: str) -> tuple[list[str], list[str]]:
    """Divide a network into private and public subnets, one of each a zone; the rest is left for later."""
    whole = ipaddress.IPv4Network(network)
    eighths = list(whole.subnets(prefixlen_diff=3))
    public = list(eighths[ZONES].subnets(prefixlen_diff=3))
    return [str(each) for each in eighths[:ZONES]], [str(each) for each in public[:ZONES]]


def make_network(
    name: str, addresses: str, zones: Sequence[str], *, served_zones: int, nat_gateways: int, region: str, made: Cluster
) -> Network:
    """Make the network.

    Args:
        name: of the cluster.
        addresses: of the network.
        zones: three.
        served_zones: how many of them have nodes, and so an address of each load balancer.
        nat_gateways: one for all zones, or one in each.
    """
    vpc = aws.ec2.Vpc(
        "network",
        cidr_block=addresses,
        enable_dns_support=True,
        enable_dns_hostnames=True,
        tags={"Name": name},
        opts=made.options(holds_data=True),
    )
    # Whoever forgets to name a security group gets one that lets nothing in or out.
    aws.ec2.DefaultSecurityGroup("default", vpc_id=vpc.id, ingress=[], egress=[], opts=made.options())
    internet = aws.ec2.InternetGateway("internet", vpc_id=vpc.id, tags={"Name": name}, opts=made.options())
    outside = aws.ec2.RouteTable(
        "public",
        vpc_id=vpc.id,
        routes=[aws.ec2.RouteTableRouteArgs(cidr_block="0.0.0.0/0", gateway_id=internet.id)],
        tags={"Name": f"{name}-public"},
        opts=made.options(),
    )
    private_ranges, public_ranges = subnets(addresses)
    private, public, gateways = [], [], []
    ready: list[pulumi.Resource] = [internet]
    for index, zone in enumerate(zones):
        # A subnet that exists stays in its zone, whatever zones AWS lists first by then.
        options = made.options(holds_data=True, ignore_changes=("availabilityZone",))
        tags = {"kubernetes.io/role/elb": "1"} if index < served_zones else {}
        subnet = aws.ec2.Subnet(
            f"public-{index}",
            vpc_id=vpc.id,
            availability_zone=zone,
            cidr_block=public_ranges[index],
            map_public_ip_on_launch=False,
            tags={"Name": f"{name}-public-{index}", **tags},
            opts=options,
        )
        aws.ec2.RouteTableAssociation(
            f"public-{index}", subnet_id=subnet.id, route_table_id=outside.id, opts=made.options()
        )
        public.append(subnet)
        if index < nat_gateways:
            address = aws.ec2.Eip(f"nat-{index}", domain="vpc", opts=made.options())
            gateways.append(
                aws.ec2.NatGateway(
                    f"nat-{index}", allocation_id=address.id, subnet_id=subnet.id, opts=made.options(internet)
                )
            )
        table = aws.ec2.RouteTable(
            f"private-{index}",
            vpc_id=vpc.id,
            routes=[
                aws.ec2.RouteTableRouteArgs(
                    cidr_block="0.0.0.0/0", nat_gateway_id=gateways[min(index, len(gateways) - 1)].id
                )
            ],
            tags={"Name": f"{name}-private-{index}"},
            opts=made.options(),
        )
        inner = aws.ec2.Subnet(
            f"private-{index}",
            vpc_id=vpc.id,
            availability_zone=zone,
            cidr_block=private_ranges[index],
            map_public_ip_on_launch=False,
            tags={"Name": f"{name}-private-{index}", "kubernetes.io/role/internal-elb": "1"},
            opts=options,
        )
        association = aws.ec2.RouteTableAssociation(
            f"private-{index}", subnet_id=inner.id, route_table_id=table.id, opts=made.options()
        )
        private.append(inner)
        ready += [table, association]
    # Backups and image layers reach S3 without passing the NAT gateways, which are paid by the gigabyte.
    aws.ec2.VpcEndpoint(
        "s3",
        vpc_id=vpc.id,
        service_name=f"com.amazonaws.{region}.s3",
        vpc_endpoint_type="Gateway",
        route_table_ids=[each.id for each in ready if isinstance(each, aws.ec2.RouteTable)],
        opts=made.options(),
    )
    return Network(vpc, tuple(private), tuple(public), (*gateways, *ready))
