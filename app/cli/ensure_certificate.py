"""`ensure-certificate`: make a TLS Secret with a self-signed certificate where there is none, and renew it in time.

For clusters without an issuer of their own. The private key is made where it is used and is seen nowhere else.
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
"""A year and a month, the most that browsers take: a CronJob looks each day, and may fail for long."""

RENEW = datetime.timedelta(days=30)
"""How long before its end a certificate is replaced."""


def ensure_certificate(name: str, hosts: list[str], namespace: str | None, cluster: Cluster | None = None) -> int:
    """Make sure that a TLS Secret holds a certificate for some hosts.

    A certificate that somebody else has signed is left as it is; so is our own, until it nears its end or the hosts
    change. The key is never printed.

    Args:
        name: the Secret, of type kubernetes.io/tls.
        hosts: names or addresses that the certificate is for.
        namespace: where; by default this pod's own.
        cluster: the API server to ask; by default this pod's own.
    """
    return settle(f"certificate {name}", lambda api, path: _ensure(api, path, name, hosts), namespace, cluster)


def _ensure(cluster: Cluster, path: str, name: str, hosts: list[str]) -> str | None:
    """Try once; return what was done, or None if somebody else was quicker."""
    status, found = cluster.call("GET", f"{path}/{name}")
    now = datetime.datetime.now(datetime.UTC)
    if status == 200 and _serves((found.get("data") or {}).get("tls.crt", ""), hosts, now):
        return "in order"
    secret: dict[str, Any] = {"metadata": {"name": name}, "data": self_signed(hosts, now)}
    if status == 404:
        secret |= {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls"}
        status, _ = cluster.call("POST", path, secret)
    else:
        # The version makes the change fail with 409 if the Secret has changed since it was read.
        secret["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
        status, _ = cluster.call("PATCH", f"{path}/{name}", secret)
    return None if status in (404, 409) else f"made for {', '.join(hosts)}"


def _serves(encoded: str, hosts: list[str], now: datetime.datetime) -> bool:
    """Whether a stored certificate (base64 of PEM) is to stay."""
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
        hosts: names or addresses that the certificate is for.
        now: when it begins; a minute earlier in fact, for clients whose clocks are behind.
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
