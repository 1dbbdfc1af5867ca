"""`ensure-certificate`: create a TLS Secret with a certificate if it is missing, and renew it in time.

For clusters without a certificate issuer. The private key is generated in the cluster and never leaves it. The
certificate is self-signed, or signed by an authority of its own, which clients go on trusting when it is renewed.
"""

import base64
import datetime
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.cli.cluster import Cluster, settle

VALID = datetime.timedelta(days=397)
"""The longest lifetime that browsers accept: the daily CronJob that renews may fail for long."""

RENEW = datetime.timedelta(days=30)
"""Remaining lifetime at which a certificate is replaced."""

AUTHORITY_VALID = datetime.timedelta(days=3650)
"""Lifetime of an authority. It is replaced, with the certificate, when it would end before a new certificate."""

CERTIFICATE, KEY, AUTHORITY, AUTHORITY_KEY = "tls.crt", "tls.key", "ca.crt", "ca.key"
"""Keys of the Secret."""


def ensure_certificate(
    name: str, hosts: list[str], namespace: str | None, cluster: Cluster | None = None, *, authority: bool = False
) -> int:
    """Ensure that a TLS Secret contains a certificate for some hosts.

    A certificate of another issuer is left unchanged; a self-signed one is replaced when it nears its end or the hosts
    change. The key is never printed.

    Args:
        name: the Secret, of type kubernetes.io/tls.
        hosts: names or addresses of the certificate.
        namespace: by default that of this pod.
        cluster: the API server; by default that of this pod.
        authority: whether an authority signs the certificate. Its certificate and key are in the Secret, too.
    """
    return settle(
        f"certificate {name}", lambda api, path: _ensure(api, path, name, hosts, authority), namespace, cluster
    )


def _ensure(cluster: Cluster, path: str, name: str, hosts: list[str], authority: bool) -> str | None:
    """Make one attempt; return what was done, or None on a conflict with another writer."""
    status, found = cluster.call("GET", f"{path}/{name}")
    now = datetime.datetime.now(datetime.UTC)
    data = found.get("data") or {}
    if status == 200 and _serves(data, hosts, now, authority):
        return "in order"
    issued = signed_by_authority(hosts, now, data) if authority else self_signed(hosts, now)
    secret: dict[str, Any] = {"metadata": {"name": name}, "data": issued}
    if status == 404:
        secret |= {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls"}
        status, _ = cluster.call("POST", path, secret)
    else:
        # Optimistic concurrency: 409 if the Secret has changed since it was read.
        secret["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
        status, _ = cluster.call("PATCH", f"{path}/{name}", secret)
    return None if status in (404, 409) else f"made for {', '.join(hosts)}"


def _serves(data: Mapping[str, str], hosts: list[str], now: datetime.datetime, authority: bool) -> bool:
    """Return whether the certificate of a Secret's data is to be kept."""
    try:
        certificate = _certificate(data, CERTIFICATE)
        issuer = Authority.of(data) if authority else None
    except ValueError:
        return False
    if authority:
        if issuer is None:
            return AUTHORITY in data  # another issuer's, who has given its authority with it
        if not issuer.has_signed(certificate):
            return False
    elif certificate.issuer != certificate.subject:
        return True
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    return certificate.not_valid_after_utc - now > RENEW and set(names) == set(_alternative_names(hosts))


def _certificate(data: Mapping[str, str], key: str) -> x509.Certificate:
    """Return a certificate of a Secret's data; raise ValueError if there is none."""
    return x509.load_pem_x509_certificate(base64.b64decode(data.get(key, "")))


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
    subject = _name("task-manager")
    certificate = _of_hosts(hosts, now, subject, subject, key).sign(key, hashes.SHA256())
    return {CERTIFICATE: _encoded(certificate), KEY: _encoded_key(key)}


def signed_by_authority(hosts: list[str], now: datetime.datetime, data: Mapping[str, str]) -> dict[str, str]:
    """Return a new key and certificate, and the authority that has signed it.

    The certificate is for both ends of a connection: servers of a cluster show it to each other.

    Args:
        hosts, now: as for `self_signed`.
        data: what the Secret has; an authority in it that lives long enough signs again.
    """
    authority = Authority.of(data)
    if authority is None or authority.certificate.not_valid_after_utc < now + VALID:
        authority = Authority.new(now)
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    builder = _of_hosts(hosts, now, _name("task-manager"), issuer.subject, key, ExtendedKeyUsageOID.CLIENT_AUTH)
    signer = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer), critical=False
    ).sign(authority.key, hashes.SHA256())
    return {
        CERTIFICATE: _encoded(certificate),
        KEY: _encoded_key(key),
        AUTHORITY: _encoded(issuer),
        AUTHORITY_KEY: _encoded_key(authority.key),
    }


@dataclass(frozen=True)
class Authority:
    """A certificate authority with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def of(cls, data: Mapping[str, str]) -> Self | None:
        """Return that of a Secret's data; None if there is none that can sign."""
        try:
            certificate = _certificate(data, AUTHORITY)
            key = serialization.load_pem_private_key(base64.b64decode(data.get(AUTHORITY_KEY, "")), None)
        except ValueError:
            return None
        return cls(certificate, key) if isinstance(key, ec.EllipticCurvePrivateKey) else None

    @classmethod
    def new(cls, now: datetime.datetime) -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("task-manager authority")
        usage = x509.KeyUsage(
            key_cert_sign=True,
            crl_sign=True,
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _builder(now, AUTHORITY_VALID, name, name, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    def has_signed(self, certificate: x509.Certificate) -> bool:
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    now: datetime.datetime,
    valid: datetime.timedelta,
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + valid)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _of_hosts(
    hosts: list[str],
    now: datetime.datetime,
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *usages: x509.ObjectIdentifier,
) -> x509.CertificateBuilder:
    """Return a server's certificate to be signed; `usages` are further ones."""
    return (
        _builder(now, VALID, subject, issuer, key)
        .add_extension(x509.SubjectAlternativeName(_alternative_names(hosts)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, *usages]), critical=False)
    )


def _encoded(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.PEM)).decode()


def _encoded_key(key: ec.EllipticCurvePrivateKey) -> str:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return base64.b64encode(pem).decode()
