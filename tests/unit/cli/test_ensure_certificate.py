"""`ensure-certificate` against an API server in memory: creation, renewal, conflicts."""

import base64
import datetime
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.cli import ensure_certificate as command
from app.cli.cluster import Cluster, ClusterError

NOW = datetime.datetime.now(datetime.UTC)


class Memory(Cluster):
    """Secrets of a namespace, with resource versions and conflicts."""

    def __init__(self) -> None:
        self.namespace = "here"
        self.secrets: dict[str, dict[str, Any]] = {}
        self.conflicts = 0
        self.refuse = False

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, metadata_alone: bool = False
    ) -> tuple[int, dict[str, Any]]:
        assert not metadata_alone
        if self.refuse:
            raise ClusterError(f"{method} {path}: 403 Forbidden")
        assert path.startswith("/api/v1/namespaces/here/secrets")
        name = path.removeprefix("/api/v1/namespaces/here/secrets").lstrip("/")
        if method == "GET":
            return (200, self.secrets[name]) if name in self.secrets else (404, {})
        assert body is not None
        if self.conflicts:
            self.conflicts -= 1
            return 409, {}
        name = name or body["metadata"]["name"]
        old = self.secrets.get(name, {"metadata": {"resourceVersion": "0"}})
        if method == "PATCH" and body["metadata"]["resourceVersion"] != old["metadata"]["resourceVersion"]:
            return 409, {}
        version = str(int(old["metadata"]["resourceVersion"]) + 1)
        self.secrets[name] = {**old, **body, "metadata": {"name": name, "resourceVersion": version}}
        return 200, self.secrets[name]

    def certificate(self) -> x509.Certificate:
        """The certificate stored under `tls`."""
        return x509.load_pem_x509_certificate(base64.b64decode(self.secrets["tls"]["data"]["tls.crt"]))

    def store(self, data: dict[str, str]) -> None:
        """Write as another client."""
        self.secrets["tls"] = {"metadata": {"resourceVersion": "7"}, "data": data}


def ensure(cluster: Memory, *hosts: str) -> int:
    """Run the command."""
    return command.ensure_certificate("tls", list(hosts), None, cluster)


def test_a_missing_certificate_is_made_for_names_and_addresses() -> None:
    cluster = Memory()
    assert ensure(cluster, "tasks.example.com", "127.0.0.1") == 0
    names = cluster.certificate().extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["tasks.example.com"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert cluster.secrets["tls"]["type"] == "kubernetes.io/tls"
    assert cluster.certificate().not_valid_after_utc - NOW > datetime.timedelta(days=396)


def test_a_server_can_use_the_certificate(tmp_path: Path) -> None:
    cluster = Memory()
    ensure(cluster, "localhost")
    pair = tmp_path / "pair.pem"
    pair.write_bytes(b"".join(base64.b64decode(cluster.secrets["tls"]["data"][key]) for key in ("tls.crt", "tls.key")))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pair)


def test_a_valid_certificate_is_kept() -> None:
    cluster = Memory()
    ensure(cluster, "localhost")
    before = cluster.secrets["tls"]
    assert ensure(cluster, "localhost") == 0
    assert cluster.secrets["tls"] == before


@pytest.mark.parametrize(("days", "renewed"), [(360, False), (368, True), (500, True)])
def test_a_certificate_is_renewed_30_days_before_its_end(days: int, renewed: bool) -> None:
    cluster = Memory()
    cluster.store(command.self_signed(["localhost"], NOW - datetime.timedelta(days=days)))
    ensure(cluster, "localhost")
    assert (cluster.secrets["tls"]["metadata"]["resourceVersion"] != "7") == renewed


def test_other_hosts_get_a_new_certificate() -> None:
    cluster = Memory()
    ensure(cluster, "old.example.com")
    ensure(cluster, "new.example.com")
    names = cluster.certificate().extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["new.example.com"]


def test_a_certificate_that_an_issuer_has_signed_is_left_alone() -> None:
    cluster = Memory()
    key = ec.generate_private_key(ec.SECP256R1())

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    signed = (
        x509.CertificateBuilder()
        .subject_name(name("tasks.example.com"))
        .issuer_name(name("An Issuer"))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - datetime.timedelta(days=89))
        .not_valid_after(NOW + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    from cryptography.hazmat.primitives.serialization import Encoding

    cluster.store({"tls.crt": base64.b64encode(signed.public_bytes(Encoding.PEM)).decode()})
    ensure(cluster, "localhost")
    assert cluster.secrets["tls"]["metadata"]["resourceVersion"] == "7"


@pytest.mark.parametrize("data", [{}, {"tls.crt": ""}, {"tls.crt": base64.b64encode(b"nonsense").decode()}])
def test_a_secret_without_a_certificate_gets_one(data: dict[str, str]) -> None:
    cluster = Memory()
    cluster.store(data)
    assert ensure(cluster, "localhost") == 0
    assert cluster.certificate()


def test_a_conflict_is_retried() -> None:
    cluster = Memory()
    cluster.conflicts = 2
    assert ensure(cluster, "localhost") == 0
    assert "tls" in cluster.secrets


def test_a_rejection_is_an_error_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Memory()
    cluster.refuse = True
    assert ensure(cluster, "localhost") == 1
    assert capsys.readouterr().err == "error: GET /api/v1/namespaces/here/secrets/tls: 403 Forbidden\n"


def test_the_key_is_never_printed(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Memory()
    ensure(cluster, "localhost")
    printed = capsys.readouterr()
    assert printed.out == "certificate tls: made for localhost\n"
    assert printed.err == ""


def ensure_signed(cluster: Memory, *hosts: str) -> dict[str, str]:
    """Run the command with an authority; return the Secret's data."""
    assert command.ensure_certificate("tls", list(hosts), None, cluster, authority=True) == 0
    data: dict[str, str] = cluster.secrets["tls"]["data"]
    return data


def test_a_client_that_trusts_the_authority_alone_accepts_the_certificate_and_its_successor(tmp_path: Path) -> None:
    cluster = Memory()
    first = ensure_signed(cluster, "broker")
    almost_over = command.signed_by_authority(["broker"], NOW - datetime.timedelta(days=368), first)
    cluster.store(almost_over)
    second = ensure_signed(cluster, "broker")
    assert second["tls.crt"] != almost_over["tls.crt"]
    trusting = ssl.create_default_context(cadata=base64.b64decode(first["ca.crt"]).decode())
    assert handshake(trusting, second, tmp_path) == "TLSv1.3"


def test_a_client_that_trusts_another_authority_refuses_the_certificate(tmp_path: Path) -> None:
    served, other = ensure_signed(Memory(), "broker"), ensure_signed(Memory(), "broker")
    trusting = ssl.create_default_context(cadata=base64.b64decode(other["ca.crt"]).decode())
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(trusting, served, tmp_path)


def handshake(client: ssl.SSLContext, data: dict[str, str], folder: Path) -> str | None:
    """Let a client meet a server in memory that has the Secret's certificate; return the protocol."""
    pair = folder / "pair.pem"
    pair.write_bytes(b"".join(base64.b64decode(data[key]) for key in ("tls.crt", "tls.key")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(back, there, server_hostname="broker"),
        context.wrap_bio(there, back, server_side=True),
    )
    for _ in range(3):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends[0].version()


def test_a_valid_certificate_of_the_authority_is_kept() -> None:
    cluster = Memory()
    before = dict(ensure_signed(cluster, "broker"))
    assert ensure_signed(cluster, "broker") == before
    assert set(ensure_signed(cluster, "another")) == {"tls.crt", "tls.key", "ca.crt", "ca.key"}
    assert cluster.secrets["tls"]["data"]["ca.crt"] == before["ca.crt"]
    assert cluster.secrets["tls"]["data"]["tls.crt"] != before["tls.crt"]


def test_an_authority_that_would_end_before_a_new_certificate_is_replaced() -> None:
    cluster = Memory()
    old = command.signed_by_authority(["broker"], NOW - datetime.timedelta(days=3300), {})
    cluster.store(old)
    assert ensure_signed(cluster, "broker")["ca.crt"] != old["ca.crt"]


def test_a_certificate_of_an_issuer_with_an_authority_of_its_own_is_left_alone() -> None:
    cluster = Memory()
    theirs = command.signed_by_authority(["broker"], NOW, {})
    del theirs["ca.key"]
    cluster.store(theirs)
    assert ensure_signed(cluster, "another") == theirs


def test_a_self_signed_certificate_becomes_one_of_an_authority() -> None:
    cluster = Memory()
    ensure(cluster, "broker")
    assert "ca.crt" in ensure_signed(cluster, "broker")


def test_a_certificate_that_the_authority_has_not_signed_is_replaced() -> None:
    cluster = Memory()
    one, other = (command.signed_by_authority(["broker"], NOW, {}) for _ in range(2))
    cluster.store({**one, "tls.crt": other["tls.crt"], "tls.key": other["tls.key"]})
    assert ensure_signed(cluster, "broker")["tls.crt"] != other["tls.crt"]
