"""etcd, the API server, the controller manager and the scheduler."""

from __future__ import annotations

from dataclasses import dataclass

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from local import paths
from local.cluster import certificates
from local.cluster.certificates import CLUSTER_CA, ETCD_CA, FRONT_PROXY_CA, KeyPair, key_pair
from local.cluster.nodes import API_ADDRESS, API_PORT, API_SERVICE_ADDRESS, POD_RANGE, SERVICE_RANGE
from local.errors import LocalError
from local.host import processes
from local.host.processes import ProcessSpec
from local.tools import go_tools

NODE_URL = f"https://{API_ADDRESS}:{API_PORT}"


@dataclass(frozen=True)
class ControlPlane:
    """Ports and flags of one control plane; several can run on one machine, each in a directory of its own.

    Attributes:
        api, etcd, peers, controllers, scheduler: ports of the loopback. The API server's is also one of each node's
            addresses, unless its flags say otherwise.
        api_flags, controller_flags: further flags of the API server and the controller manager.
    """

    api: int
    etcd: int
    peers: int
    controllers: int
    scheduler: int
    api_flags: tuple[str, ...] = ()
    controller_flags: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.api}"


LOCAL = ControlPlane(
    api=API_PORT,
    etcd=2379,
    peers=2380,
    controllers=10257,
    scheduler=10259,
    # Aggregated interfaces (metrics.k8s.io) are reached at their pods, since the API server runs outside of them.
    api_flags=("--enable-aggregator-routing=true",),
)
LOOPBACK_URL = LOCAL.url


def make_certificates(plane: ControlPlane = LOCAL) -> None:
    """Make the authorities, the certificates and the kubeconfig files of the control plane, where missing."""
    for ca in (CLUSTER_CA, ETCD_CA, FRONT_PROXY_CA):
        certificates.ensure_authority(ca)
    issue = certificates.issue
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    api_hosts = (*names, "localhost", "127.0.0.1", API_ADDRESS, API_SERVICE_ADDRESS)
    issue("apiserver", CLUSTER_CA, "kube-apiserver", hosts=api_hosts)
    issue("apiserver-kubelet", CLUSTER_CA, "kube-apiserver-kubelet-client")
    issue("apiserver-etcd", ETCD_CA, "kube-apiserver-etcd-client")
    issue("etcd", ETCD_CA, "etcd", hosts=("localhost", "127.0.0.1"))
    issue("front-proxy", FRONT_PROXY_CA, "front-proxy-client")
    certificates.signing_key("service-accounts")
    admin = issue("admin", CLUSTER_CA, "kubernetes-admin", "system:masters")
    certificates.kubeconfig(paths.KUBECONFIG, admin, plane.url)
    for part in ("kube-controller-manager", "kube-scheduler"):
        client = issue(part, CLUSTER_CA, f"system:{part}")
        certificates.kubeconfig(paths.CONFIG / f"{part}.kubeconfig", client, plane.url)


def _tls(prefix: str, files: KeyPair) -> list[str]:
    return [f"--{prefix}cert-file={files.certificate}", f"--{prefix}key-file={files.key}"]


def etcd(plane: ControlPlane = LOCAL) -> ProcessSpec:
    """Only the API server's certificate opens it. Writes are not forced to disk: a power cut may cost the cluster."""
    authority = key_pair(ETCD_CA).certificate
    clients, peers = f"https://127.0.0.1:{plane.etcd}", f"https://127.0.0.1:{plane.peers}"
    command = [
        "etcd",
        "--name=local",
        f"--data-dir={paths.ETCD}",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=local={peers}",
        *_tls("", key_pair("etcd")),
        *_tls("peer-", key_pair("etcd")),
        "--client-cert-auth",
        "--peer-client-cert-auth",
        f"--trusted-ca-file={authority}",
        f"--peer-trusted-ca-file={authority}",
        "--unsafe-no-fsync",
    ]
    return ProcessSpec("etcd", tuple(command))


def api_server(plane: ControlPlane = LOCAL) -> ProcessSpec:
    accounts = key_pair("service-accounts").key
    command = [
        str(go_tools.binary("kubernetes", "kube-apiserver")),
        f"--advertise-address={API_ADDRESS}",
        f"--secure-port={plane.api}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--allow-privileged=true",
        "--anonymous-auth=false",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--profiling=false",
        f"--client-ca-file={key_pair(CLUSTER_CA).certificate}",
        f"--tls-cert-file={key_pair('apiserver').certificate}",
        f"--tls-private-key-file={key_pair('apiserver').key}",
        f"--etcd-servers=https://127.0.0.1:{plane.etcd}",
        f"--etcd-cafile={key_pair(ETCD_CA).certificate}",
        f"--etcd-certfile={key_pair('apiserver-etcd').certificate}",
        f"--etcd-keyfile={key_pair('apiserver-etcd').key}",
        f"--kubelet-certificate-authority={key_pair(CLUSTER_CA).certificate}",
        f"--kubelet-client-certificate={key_pair('apiserver-kubelet').certificate}",
        f"--kubelet-client-key={key_pair('apiserver-kubelet').key}",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={accounts}",
        f"--service-account-signing-key-file={accounts}",
        f"--proxy-client-cert-file={key_pair('front-proxy').certificate}",
        f"--proxy-client-key-file={key_pair('front-proxy').key}",
        f"--requestheader-client-ca-file={key_pair(FRONT_PROXY_CA).certificate}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        *plane.api_flags,
    ]
    return ProcessSpec("kube-apiserver", tuple(command))


def _client_of_api_server(name: str, port: int, *more: str) -> ProcessSpec:
    """Return a part that does its work through the API server, there being one of it."""
    kubeconfig = paths.CONFIG / f"{name}.kubeconfig"
    command = [
        str(go_tools.binary("kubernetes", name)),
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--leader-elect=false",
        "--profiling=false",
        *more,
    ]
    return ProcessSpec(name, tuple(command))


def controller_manager(plane: ControlPlane = LOCAL) -> ProcessSpec:
    return _client_of_api_server(
        "kube-controller-manager",
        plane.controllers,
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={key_pair('service-accounts').key}",
        f"--root-ca-file={key_pair(CLUSTER_CA).certificate}",
        f"--cluster-signing-cert-file={key_pair(CLUSTER_CA).certificate}",
        f"--cluster-signing-key-file={key_pair(CLUSTER_CA).key}",
        f"--cluster-cidr={POD_RANGE}",
        # Each node's range follows from its number (see nodes.py), so that routes can be laid before it joins.
        "--allocate-node-cidrs=false",
        f"--flex-volume-plugin-dir={paths.CLUSTER / 'volume-plugins'}",
        *plane.controller_flags,
    )


def scheduler(plane: ControlPlane = LOCAL) -> ProcessSpec:
    return _client_of_api_server("kube-scheduler", plane.scheduler)


def session() -> requests.Session:
    """Return an HTTP session that speaks to the API server as the administrator."""
    session = requests.Session()
    admin = key_pair("admin")
    session.cert = (str(admin.certificate), str(admin.key))
    session.verify = str(key_pair(CLUSTER_CA).certificate)
    session.trust_env = False  # proxies and authorities of the environment are not for the loopback
    return session


def is_ready(plane: ControlPlane = LOCAL, timeout: float = 5.0) -> bool:
    """Tell whether the API server answers that it is ready, within `timeout` seconds."""
    try:
        return session().get(f"{plane.url}/readyz", timeout=timeout).status_code == 200
    except (requests.RequestException, OSError):
        return False


def start(plane: ControlPlane = LOCAL) -> None:
    """Start what is not running and return when the API server is ready.

    Raises:
        LocalError: a part ended, with the last lines of its log, or it was not ready within 120 s.
    """
    now = processes.running()
    for spec in (etcd(plane), api_server(plane)):
        processes.start(spec, now)
    waiting = Retrying(
        retry=retry_if_exception_type(TimeoutError), stop=stop_after_delay(120), wait=wait_fixed(0.2), reraise=True
    )
    try:
        waiting(_check, plane)
    except TimeoutError as error:
        words = processes.log_tail("kube-apiserver")
        raise LocalError(f"the API server was not ready after 120 s: {words} (log: {paths.LOGS})") from error
    # These two end when they can't reach the API server at their start.
    for spec in (controller_manager(plane), scheduler(plane)):
        processes.start(spec, now)


def _check(plane: ControlPlane) -> None:
    if not is_ready(plane):
        processes.check_alive(etcd(plane))
        processes.check_alive(api_server(plane))
        raise TimeoutError
