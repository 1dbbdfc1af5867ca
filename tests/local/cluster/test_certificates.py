"""The cluster's certificates: hosts, users, and what is kept."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.cluster import certificates
from local.cluster.certificates import key_pair


@pytest.fixture(autouse=True)
def authority(cluster: Path) -> Path:
    certificates.ensure_authority("ca")
    return cluster


def load(name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(key_pair(name).certificate.read_bytes())


def test_a_serving_certificate_names_its_hosts_and_verifies() -> None:
    certificates.issue("server", "ca", "server", hosts=("localhost", "127.0.0.1"))
    names = load("server").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    load("server").verify_directly_issued_by(load("ca"))
    context = ssl.create_default_context(cafile=str(key_pair("ca").certificate))
    context.load_cert_chain(key_pair("server").certificate, key_pair("server").key)


def test_a_client_certificate_carries_user_and_group_and_serves_nobody() -> None:
    certificates.issue("admin", "ca", "kubernetes-admin", "system:masters")
    subject = load("admin").subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "kubernetes-admin"
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:masters"
    usage = load("admin").extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_what_is_there_is_kept() -> None:
    first = certificates.issue("admin", "ca", "admin").certificate.read_bytes()
    assert certificates.issue("admin", "ca", "admin").certificate.read_bytes() == first
    key = certificates.signing_key("accounts").read_bytes()
    assert certificates.signing_key("accounts").read_bytes() == key


def test_a_pair_without_its_certificate_is_made_anew() -> None:
    certificates.issue("admin", "ca", "admin").certificate.unlink()
    certificates.issue("admin", "ca", "admin")
    assert load("admin")


def test_keys_and_kubeconfig_are_for_their_owner_alone(cluster: Path) -> None:
    client = certificates.issue("admin", "ca", "admin")
    target = certificates.kubeconfig(cluster / "kubeconfig", client, "https://127.0.0.1:6443")
    assert target.stat().st_mode & 0o777 == 0o600
    assert client.key.stat().st_mode & 0o777 == 0o600
    content = json.loads(target.read_text())
    assert content["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    assert content["users"][0]["user"]["client-key-data"]
