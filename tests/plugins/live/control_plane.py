"""An API server for tests: etcd, kube-apiserver and kube-controller-manager, as processes of the tests' own.

No node: pods stay pending, and a test writes their status itself. Two users: `admin`, who may do everything, and
`guest`, who may do nothing.
"""

import base64
import contextlib
import datetime
import ipaddress
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from local.plugins.kubernetes_provider.client import Client
from local.plugins.kubernetes_provider.errors import ApiError, UnreachableError
from local.plugins.kubernetes_provider.kubeconfig import load
from local.tools import go_tools
from tests.support.ports import free_port

START_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass
class ControlPlane:
    """A running API server."""

    folder: Path
    programs: dict[str, Path]
    port: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://127.0.0.1:{self.port}"

    def kubeconfig(self, user: str = "admin", server: str | None = None) -> Path:
        """Write a kubeconfig for a user and give its path."""
        path = self.folder / f"{user}-{secrets.token_hex(4)}.kubeconfig"
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "test",
                    "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
                    "clusters": [{"name": "test", "cluster": self._cluster(server)}],
                    "users": [{"name": user, "user": {"token": self.tokens.get(user, "wrong")}}],
                }
            )
        )
        return path

    def _cluster(self, server: str | None) -> dict[str, str]:
        authority = base64.b64encode((self.folder / "ca.crt").read_bytes()).decode()
        return {"server": server or self.server, "certificate-authority-data": authority}

    def client(self, user: str = "admin") -> Client:
        """Give a client for a user."""
        return Client(load(str(self.kubeconfig(user))))

    def start(self) -> None:
        """Start everything and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write_certificates(self.folder)
        self.tokens = {user: secrets.token_hex(16) for user in ("admin", "guest")}
        (self.folder / "tokens.csv").write_text(
            f'{self.tokens["admin"]},admin,admin,"system:masters"\n{self.tokens["guest"]},guest,guest,\n'
        )
        store, peer, self.port, manager = (free_port() for _ in range(4))
        self._run(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls=http://127.0.0.1:{store}",
            f"--advertise-client-urls=http://127.0.0.1:{store}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
        )
        self._run(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{store}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={self.folder / 'server.crt'}",
            f"--tls-private-key-file={self.folder / 'server.key'}",
            f"--client-ca-file={self.folder / 'ca.crt'}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            f"--service-account-key-file={self.folder / 'accounts.key'}",
            f"--service-account-signing-key-file={self.folder / 'accounts.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--disable-admission-plugins=ServiceAccount",
            "--endpoint-reconciler-type=none",
        )
        client = self.client()
        _wait(lambda: _answers(client), "the API server")
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig()}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={manager}",
            f"--service-account-private-key-file={self.folder / 'accounts.key'}",
            f"--root-ca-file={self.folder / 'ca.crt'}",
            "--controllers=*,-horizontal-pod-autoscaler-controller,-node-lifecycle-controller,-taint-eviction-controller",
        )
        _wait(lambda: _exists(client, "/api/v1/namespaces/default"), "the namespace default")

    def _run(self, program: str, *arguments: str) -> None:
        log = (self.folder / f"{program}.log").open("wb")
        # With a test run that is killed, what it has started ends too.
        command = ["setpriv", "--pdeathsig", "KILL", str(self.programs[program]), *arguments]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        log.close()
        self.processes.append(process)

    def stop(self) -> None:
        """Stop everything, the last started first."""
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            if process.poll() is None:
                process.kill()
                process.wait()


def running(folder: Path) -> Iterator[ControlPlane]:
    """Give a running control plane, and stop it afterwards.

    Raises:
        FileNotFoundError: etcd is missing.
    """
    built = go_tools.build("kubernetes")
    etcd = shutil.which("etcd")
    if etcd is None:
        raise FileNotFoundError("etcd is not on PATH: install the Debian package etcd-server, as `make up` does")
    programs = {name: built / name for name in ("kube-apiserver", "kube-controller-manager")}
    plane = ControlPlane(folder, {"etcd": Path(etcd), **programs})
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()


def _answers(client: Client) -> bool:
    try:
        return client.text("/readyz") == "ok"
    except (ApiError, UnreachableError):
        return False


def _exists(client: Client, path: str) -> bool:
    try:
        client.get(path)
    except ApiError:
        return False
    return True


def _wait(holds: Any, what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come up in {START_SECONDS:.0f} s")
        time.sleep(0.1)


def _write_certificates(folder: Path) -> None:
    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test-ca")])
    now = datetime.datetime.now(datetime.UTC)

    def builder(resource: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(resource)
            .issuer_name(ca_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    authority = builder(ca_name, ca_key).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    server = builder(server_name, server_key).add_extension(names, critical=False)
    accounts = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "ca.crt").write_bytes(authority.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (folder / "server.crt").write_bytes(server.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    for name, key in (("server.key", server_key), ("accounts.key", accounts)):
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
            )
        )
