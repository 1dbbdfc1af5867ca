"""The processes of each node: containerd, the kubelet, kube-proxy."""

from __future__ import annotations

from pathlib import Path

import yaml

from local import paths
from local.cluster import certificates, host_paths, pod_network
from local.cluster.certificates import CLUSTER_CA, key_pair
from local.cluster.control_plane import LOOPBACK_URL, NODE_URL
from local.cluster.nodes import DNS_ADDRESS, NODE_RANGE, POD_RANGE, Node
from local.host import cgroups, mounts
from local.host.files import write
from local.host.processes import ProcessSpec
from local.images import catalogue
from local.tools import go_tools

CONTAINERD = """\
version = 2
root = "{root}"
state = "{state}"
# Off: the monitor of tasks is for its own metrics; the others want devices that are not here.
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
disable_apparmor = true
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = "{cni}"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "{snapshotter}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
BinaryName = "{runtime}"
Root = "{state}/runc"
"""


def containerd(node: Node) -> ProcessSpec:
    runtime = host_paths.runtime(node)
    content = CONTAINERD.format(
        root=node.directory / "containerd",
        state=node.directory / "containerd-state",
        socket=node.containerd_socket,
        runtime=runtime,
        pause=catalogue.PAUSE.reference,
        plugins=pod_network.link_plugins(),
        cni=pod_network.configure(node),
        # An overlay can't be laid on an overlay, as within another container.
        snapshotter="native" if mounts.is_on_overlay(paths.CLUSTER) else "overlayfs",
    )
    config = write(node.directory / "containerd.toml", content)
    return ProcessSpec(
        f"containerd-{node.number}", ("containerd", "--config", str(config)), (config, runtime), node.network
    )


def name_servers(text: str) -> list[str]:
    """Return the name servers of a resolv.conf that a pod can reach: none on the loopback."""
    words = [line.split() for line in text.splitlines() if line.startswith("nameserver")]
    return [entry[1] for entry in words if len(entry) > 1 and not entry[1].startswith(("127.", "::1"))]


def resolver_file() -> Path:
    """Write the resolv.conf from which the cluster's DNS takes the servers to ask for names outside."""
    candidates = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
    found = [server for file in candidates if file.exists() for server in name_servers(file.read_text())]
    unique = dict.fromkeys(found)
    return write(paths.CONFIG / "resolv.conf", "".join(f"nameserver {server}\n" for server in unique))


def kubelet_configuration(node: Node) -> dict[str, object]:
    """Return the kubelet's settings; where they differ from its defaults, the machine's limits are why."""
    serving = key_pair(f"kubelet-{node.number}")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(key_pair(CLUSTER_CA).certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(serving.certificate),
        "tlsPrivateKeyFile": str(serving.key),
        "containerRuntimeEndpoint": f"unix://{node.containerd_socket}",
        "podLogsDir": str(host_paths.pod_logs(node)),
        "volumePluginDir": str(node.directory / "volume-plugins"),
        "clusterDomain": "cluster.local",
        "clusterDNS": [DNS_ADDRESS],
        "resolvConf": str(resolver_file()),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": node.cgroup,
        # Version 1 control groups are still what many containers and small machines offer.
        "failCgroupV1": False,
        "failSwapOn": False,
        # Tolerates kernel settings that can't be changed, as where the machine is itself a container.
        "featureGates": {"KubeletInUserNamespace": True},
        "enforceNodeAllocatable": [],
        "localStorageCapacityIsolation": False,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        # Images come from this machine's cache and can't be pulled again: none may be collected.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "serializeImagePulls": False,
        "healthzBindAddress": "127.0.0.1",
    }


def kubelet(node: Node) -> ProcessSpec:
    user = f"system:node:{node.name}"
    certificates.issue(f"kubelet-{node.number}", CLUSTER_CA, user, "system:nodes", (node.name, node.address))
    url = NODE_URL if node.network else LOOPBACK_URL
    client = key_pair(f"kubelet-{node.number}")
    kubeconfig = certificates.kubeconfig(node.directory / "kubelet.kubeconfig", client, url)
    config = write(node.directory / "kubelet.yaml", yaml.safe_dump(kubelet_configuration(node)))
    command = (
        str(go_tools.binary("kubernetes", "kubelet")),
        f"--config={config}",
        f"--kubeconfig={kubeconfig}",
        f"--root-dir={node.directory / 'kubelet'}",
        f"--hostname-override={node.name}",
        f"--node-ip={node.address}",
        f"--node-labels={node.labels}",
    )
    return ProcessSpec(f"kubelet-{node.number}", command, (config, kubeconfig), node.network)


def kube_proxy(node: Node) -> ProcessSpec:
    client = certificates.issue("kube-proxy", CLUSTER_CA, "system:kube-proxy")
    url = NODE_URL if node.network else LOOPBACK_URL
    kubeconfig = certificates.kubeconfig(node.directory / "kube-proxy.kubeconfig", client, url)
    settings = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "hostnameOverride": node.name,
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "clusterCIDR": POD_RANGE,
        # Node ports answer on this machine alone, the loopback address included.
        "nodePortAddresses": ["127.0.0.0/8", NODE_RANGE],
        "iptables": {"localhostNodePorts": True, "minSyncPeriod": "0s"},
        # Zero leaves the kernel's settings as they are.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s"},
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    }
    config = write(node.directory / "kube-proxy.yaml", yaml.safe_dump(settings))
    command = (str(go_tools.binary("kubernetes", "kube-proxy")), f"--config={config}")
    return ProcessSpec(f"kube-proxy-{node.number}", command, (config, kubeconfig), node.network)


def prepare(node: Node) -> None:
    """Make the directories and the control group that a node's processes expect."""
    cgroups.make(node.cgroup)
    for directory in (
        host_paths.pod_logs(node),
        node.directory / "volume-plugins",
        node.directory / "kubelet",
    ):
        directory.mkdir(parents=True, exist_ok=True)
