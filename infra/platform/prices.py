"""List prices of what the platform makes, in US dollars a month of 730 hours.

DigitalOcean's are the same in every region; AWS's are those of us-east-1, on demand. Taxes are not in
them, nor traffic between zones and through a NAT gateway.

On 2026-11-30 those of Basic Droplets, g-4vcpu-16gb, DOKS, EKS, NAT gateways and IPv4 addresses were held against stored
copies of public pages; on 2026-12-01 those of traffic, and of objects in Spaces. The others are from the pages named,
and were not looked up again: see them before you buy.
"""

from typing import Final

HOURS: Final = 730

DIGITALOCEAN: Final = {
    # digitalocean.com/pricing/droplets: Basic (shared CPU) and General Purpose (dedicated CPU)
    "s-1vcpu-2gb": 12.0,
    "s-2vcpu-2gb": 18.0,
    "s-2vcpu-4gb": 24.0,
    "s-4vcpu-8gb": 48.0,
    "s-8vcpu-16gb": 96.0,
    "g-2vcpu-8gb": 63.0,
    "g-4vcpu-16gb": 126.0,
    "g-8vcpu-32gb": 252.0,
}
"""A Droplet, as a server or as a node of DOKS, by its slug."""

DIGITALOCEAN_BACKUPS: Final = 0.30
"""Daily backups of a Droplet, as a part of its price (docs.digitalocean.com/products/backups/details/pricing)."""
DIGITALOCEAN_HA: Final = 40.0
"""Highly available control plane of DOKS (docs.digitalocean.com/products/kubernetes/details/pricing)."""
DIGITALOCEAN_LOAD_BALANCER: Final = 12.0
"""Each node of a regional load balancer (digitalocean.com/pricing/load-balancers)."""
DIGITALOCEAN_REGISTRY: Final = {"starter": 0.0, "basic": 5.0, "professional": 20.0}
"""Container registry by plan (docs.digitalocean.com/products/container-registry/details/pricing)."""
DIGITALOCEAN_SPACES: Final = 5.0
"""Spaces, with DIGITALOCEAN_SPACES_INCLUDED (docs.digitalocean.com/products/spaces/details/pricing)."""
DIGITALOCEAN_SPACES_INCLUDED: Final = 250
"""GiB that the price of Spaces includes."""
DIGITALOCEAN_STORED: Final = 0.02
"""Each GiB in Spaces beyond these (same page)."""
DIGITALOCEAN_VOLUME: Final = 0.10
"""Each GiB of a volume (digitalocean.com/pricing/volumes)."""
DIGITALOCEAN_TRAFFIC: Final = 0.01
"""Each GiB sent beyond what Droplets include (docs.digitalocean.com/products/droplets/details/pricing)."""
DIGITALOCEAN_TRAFFIC_INCLUDED: Final = 500
"""GiB that the smallest Droplet may send; larger ones may send more (digitalocean.com/pricing/droplets)."""

AWS: Final = {
    # aws.amazon.com/ec2/pricing/on-demand, Linux
    "t3a.medium": 0.0376 * HOURS,
    "t3.medium": 0.0416 * HOURS,
    "t3.large": 0.0832 * HOURS,
    "m6i.large": 0.096 * HOURS,
    "m6i.xlarge": 0.192 * HOURS,
    "m7i.large": 0.1008 * HOURS,
}
"""An instance, by its type."""

AWS_EKS: Final = 0.10 * HOURS
"""Control plane of a Kubernetes version in standard support (aws.amazon.com/eks/pricing)."""
AWS_NAT_GATEWAY: Final = 0.045 * HOURS
"""Each NAT gateway, without the gigabytes that it processes (aws.amazon.com/vpc/pricing)."""
AWS_IPV4: Final = 0.005 * HOURS
"""Each public IPv4 address (aws.amazon.com/vpc/pricing)."""
AWS_LOAD_BALANCER: Final = 0.0225 * HOURS
"""A network load balancer, without capacity units (aws.amazon.com/elasticloadbalancing/pricing)."""
AWS_GP3: Final = 0.08
"""Each GiB of a gp3 volume (aws.amazon.com/ebs/pricing)."""
AWS_STORED: Final = 0.023
"""Each GiB in S3 Standard (aws.amazon.com/s3/pricing)."""
AWS_TRAFFIC: Final = 0.09
"""Each GiB sent to the internet, of the first 10 TB (aws.amazon.com/ec2/pricing/on-demand, Data Transfer)."""
AWS_TRAFFIC_INCLUDED: Final = 100
"""GiB that are sent to the internet without a charge (same page)."""
AWS_KMS_KEY: Final = 1.0
"""A key, without requests (aws.amazon.com/kms/pricing)."""
