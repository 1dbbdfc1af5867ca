"""The cluster's certificates: three authorities, and what they sign."""

from __future__ import annotations

import base64
import ipaddress
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local import paths
from local.host.files import write_private

LIFETIME = timedelta(days=3650)
CLUSTER_CA, ETCD_CA, FRONT_PROXY_CA = "ca", "etcd-ca", "front-proxy-ca"


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


def key_pair(name: str) -> KeyPair:
    """Return where a certificate of that name is kept."""
    return KeyPair(paths.CERTIFICATES / f"{name}.crt", paths.CERTIFICATES / f"{name}.key")


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key in the older form, the only one in which the API server takes a token signing key of this kind."""
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _builder(common_name: str, organisation: str | None, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organisation:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name(attributes))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )


def ensure_authority(name: str) -> KeyPair:
    """Make a certificate authority unless it is there."""
    files = key_pair(name)
    if files.certificate.exists():
        return files
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(f"primetrade-{name}", None, key)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        builder.issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"primetrade-{name}")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    # The certificate is written last: it is what says that the pair is whole.
    write_private(files.key, _pem(key))
    write_private(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))
    return files


def issue(
    name: str,
    ca: str,
    common_name: str,
    organisation: str | None = None,
    hosts: tuple[str, ...] = (),
) -> KeyPair:
    """Make a certificate unless it is there, good for clients and, where `hosts` are given, for serving them.

    Args:
        ca: the name of the authority that signs.
        common_name, organisation: the user and the group as Kubernetes reads them.
        hosts: DNS names and IP addresses.
    """
    files = key_pair(name)
    if files.certificate.exists():
        return files
    issuer = x509.load_pem_x509_certificate(key_pair(ca).certificate.read_bytes())
    issuer_key = serialization.load_pem_private_key(key_pair(ca).key.read_bytes(), password=None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)  # noqa: S101 - made by authority() above
    key = ec.generate_private_key(ec.SECP256R1())
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if hosts else [])]
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    builder = (
        _builder(common_name, organisation, key)
        .issuer_name(issuer.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    write_private(files.key, _pem(key))
    write_private(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))
    return files


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def signing_key(name: str) -> Path:
    """Make a bare key, for service account tokens, unless it is there; return its file."""
    file = key_pair(name).key
    if not file.exists():
        write_private(file, _pem(ec.generate_private_key(ec.SECP256R1())))
    return file


def kubeconfig(target: Path, client: KeyPair, server: str) -> Path:
    """Write a kubeconfig that carries its certificates within; return its path."""

    def data(path: Path) -> str:
        return base64.b64encode(path.read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": data(key_pair(CLUSTER_CA).certificate)}
    user = {"client-certificate-data": data(client.certificate), "client-key-data": data(client.key)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "primetrade", "cluster": cluster}],
        "users": [{"name": "primetrade", "user": user}],
        "contexts": [{"name": "primetrade", "context": {"cluster": "primetrade", "user": "primetrade"}}],
        "current-context": "primetrade",
    }
    write_private(target, json.dumps(content, indent=1) + "\n")
    return target
