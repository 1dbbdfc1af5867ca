"""`ensure-certificate`: create a TLS Secret with a self-signed certificate if it is missing, and renew it in time.

For clusters without a certificate issuer. The private key is generated in the cluster and never leaves it.
"""

import base64
import datetime
import ipaddress
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.cli.cluster import Cluster, settle

VALID = datetime.timedelta(days=397)
"""The longest lifetime that browsers accept: the daily CronJob that renews may fail for long."""

RENEW = datetime.timedelta(days=30)
"""Remaining lifetime at which a certificate is replaced."""


def ensure_certificate(name: str, hosts: list[str], namespace: str | None, cluster: Cluster | None = None) -> int:
    """Ensure that a TLS Secret contains a certificate for some hosts.

    A certificate of another issuer is left unchanged; a self-signed one is replaced when it nears its end or the hosts
    change. The key is never printed.

    Args:
        name: the Secret, of type kubernetes.io/tls.
        hosts: names or addresses of the certificate.
        namespace: by default that of this pod.
        cluster: the API server; by default that of this pod.
    """
    return settle(f"certificate {name}", lambda api, path: _ensure(api, path, name, hosts), namespace, cluster)


def _ensure(cluster: Cluster, path: str, name: str, hosts: list[str]) -> str | None:
    """Make one attempt; return what was done, or None on a conflict with another writer."""
    status, found = cluster.call("GET", f"{path}/{name}")
    now = datetime.datetime.now(datetime.UTC)
    if status == 200 and _serves((found.get("data") or {}).get("tls.crt", ""), hosts, now):
        return "in order"
    secret: dict[str, Any] = {"metadata": {"name": name}, "data": self_signed(hosts, now)}
    if status == 404:
        secret |= {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls"}
        status, _ = cluster.call("POST", path, secret)
    else:
        # Optimistic concurrency: 409 if the Secret has changed since it was read.
        secret["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
        status, _ = cluster.call("PATCH", f"{path}/{name}", secret)
    return None if status in (404, 409) else f"made for {', '.join(hosts)}"


def _serves(encoded: str, hosts: list[str], now: datetime.datetime) -> bool:
    """Return whether a stored certificate (base64 of PEM) is to be kept."""
    try:
        certificate = x509.load_pem_x509_certificate(base64.b64decode(encoded))
    except ValueError:
        return False
    if certificate.issuer != certificate.subject:
        return True
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    return certificate.not_valid_after_utc - now > RENEW and set(names) == set(_alternative_names(hosts))


def _alternative_names(hosts: list[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def self_signed(hosts: list[str], now: datetime.datetime) -> dict[str, str]:
    """Return a new key and certificate as the data of a kubernetes.io/tls Secret.

    Args:
        hosts: names or addresses of the certificate.
        now: begin of its validity, less a minute for clients whose clocks are behind.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "task-manager")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(_alternative_names(hosts)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = {
        "tls.crt": certificate.public_bytes(serialization.Encoding.PEM),
        "tls.key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    }
    return {name: base64.b64encode(text).decode() for name, text in pem.items()}
