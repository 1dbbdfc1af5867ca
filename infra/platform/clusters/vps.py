"""One server with k3s: a Droplet, a reserved address and a firewall."""

import pulumi
import pulumi_digitalocean as digitalocean
import pulumi_kubernetes as kubernetes
import pulumi_tls as tls
from pulumi_command import remote

from infra.platform import sizes
from infra.platform.clusters.base import Cluster, ConnectedCluster
from infra.platform.clusters.cloud_init import INSTALL, METADATA, cloud_init
from infra.platform.clusters.digitalocean import check_region, private_network
from infra.platform.clusters.kubeconfig import k3s_kubeconfig
from infra.platform.settings import K3S, PlatformSettings

IMAGE = "ubuntu-24-04-x64"
STORAGE_CLASS = "local-path"
"""k3s's own, on the server's disk."""
EVERYBODY = ("0.0.0.0/0", "::/0")


def connect_vps(settings: PlatformSettings, row: sizes.Server, name: str) -> ConnectedCluster:
    """Make the server and install k3s.

    Args:
        row: of the size table.
        name: of the server, and of what belongs to it.
    """
    cloud = digitalocean.Provider("digitalocean")
    size = settings.nodes.size or row.size
    check_region(settings, size, pulumi.InvokeOptions(provider=cloud))

    made = Cluster("Vps", protect=settings.protect, provider=cloud)
    network = private_network(settings, name, made)
    address = digitalocean.ReservedIp("address", region=settings.region, opts=made.options(holds_data=True))
    log_in = tls.PrivateKey("log-in", algorithm="ED25519", opts=made.options())
    host_key = tls.PrivateKey("host-key", algorithm="ED25519", opts=made.options())
    authorized = digitalocean.SshKey("log-in", name=name, public_key=log_in.public_key_openssh, opts=made.options())
    release = K3S[settings.kubernetes_version]
    # Secret, since the private host key it is made of is.
    user_data = pulumi.Output.all(address.ip_address, host_key.private_key_openssh, host_key.public_key_openssh).apply(
        lambda known: cloud_init(known[0], release, known[1], known[2])
    )
    server = digitalocean.Droplet(
        "server",
        name=name,
        image=IMAGE,
        size=size,
        region=settings.region,
        vpc_uuid=network.id,
        ssh_keys=[authorized.fingerprint],
        user_data=user_data,
        backups=row.backups,
        backup_policy=digitalocean.DropletBackupPolicyArgs(plan="daily", hour=4) if row.backups else None,
        monitoring=True,
        graceful_shutdown=True,
        # A server holds the data of its stacks: what would make it anew is done on it instead.
        opts=made.options(holds_data=True, ignore_changes=("image", "userData", "sshKeys")),
    )
    assigned = digitalocean.ReservedIpAssignment(
        "address", ip_address=address.ip_address, droplet_id=server.id.apply(int), opts=made.options()
    )
    firewall = digitalocean.Firewall(
        "firewall",
        name=name,
        droplet_ids=[server.id.apply(int)],
        inbound_rules=_inbound(settings),
        outbound_rules=[
            digitalocean.FirewallOutboundRuleArgs(
                protocol=protocol, port_range=None if protocol == "icmp" else "1-65535", destination_addresses=EVERYBODY
            )
            for protocol in ("tcp", "udp", "icmp")
        ],
        opts=made.options(),
    )
    connection = remote.ConnectionArgs(
        host=address.ip_address,
        user="root",
        private_key=log_in.private_key_openssh,
        host_key=host_key.public_key_openssh,
        dial_error_limit=30,
    )
    # Waits for the first boot, and goes on where cloud-init has warnings alone; another release is installed in place.
    k3s = remote.Command(
        "k3s",
        connection=connection,
        create=f"cloud-init status --wait >&2 || true; systemctl is-active {METADATA} >&2 && {INSTALL} {release}",
        opts=made.options(assigned, firewall),
    )
    written = remote.Command(
        "kubeconfig",
        connection=connection,
        create="cat /etc/rancher/k3s/k3s.yaml",
        logging=remote.Logging.NONE,
        opts=pulumi.ResourceOptions.merge(
            made.options(k3s), pulumi.ResourceOptions(additional_secret_outputs=["stdout"])
        ),
    )
    found = pulumi.Output.all(address.ip_address, written.stdout).apply(
        lambda known: k3s_kubeconfig(name, f"https://{known[0]}:6443", known[1])
    )
    config: pulumi.Output[str] = pulumi.Output.secret(found)
    return ConnectedCluster(
        provider=kubernetes.Provider("cluster", kubeconfig=config, cluster_identifier=server.id),
        kubeconfig=config,
        cloud=settings.cluster,
        region=settings.region,
        environment={
            "context": name,
            "storage_class": STORAGE_CLASS,
            "node_port": settings.node_port,
            "url": pulumi.Output.concat("http://", address.ip_address, f":{settings.node_port}"),
        },
        outputs={
            "cluster": server.id,
            "address": address.ip_address,
            "ssh_key": pulumi.Output.secret(log_in.private_key_openssh),
            "ssh_host_key": host_key.public_key_openssh,
        },
    )


def _inbound(settings: PlatformSettings) -> list[digitalocean.FirewallInboundRuleArgs]:
    """Users reach the site; administrators SSH and the Kubernetes API; nobody anything else."""
    open_ports = {"80": EVERYBODY, "443": EVERYBODY, str(settings.node_port): EVERYBODY}
    restricted = dict.fromkeys(("22", "6443"), tuple(settings.administrators))
    return [
        digitalocean.FirewallInboundRuleArgs(protocol="tcp", port_range=port, source_addresses=sources)
        for port, sources in {**open_ports, **restricted}.items()
    ]
