"""Expiry of a served certificate, seen from outside."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.cluster import certificates
from local.errors import LocalError
from local.stack import served_certificate


@pytest.fixture
def url(cluster: Path) -> Iterator[str]:
    """A server that speaks TLS with a certificate of an authority that nobody knows."""
    del cluster
    certificates.ensure_authority("ca")
    key_pair = certificates.issue("server", "ca", "server", hosts=("localhost",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(key_pair.certificate, key_pair.key)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://localhost:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def end() -> datetime:
    return datetime.now(UTC) + certificates.LIFETIME


def test_a_certificate_that_lasts_is_in_order(url: str) -> None:
    served_certificate.check(url, end() - timedelta(days=15))


@pytest.mark.parametrize("days", [13, -1])
def test_one_that_ends_soon_or_has_ended_is_named_with_its_end_and_a_page_that_helps(url: str, days: int) -> None:
    with pytest.raises(LocalError, match=rf"that {url} serves ends at \d{{4}}-.*CertificateExpires"):
        served_certificate.check(url, end() - timedelta(days=days))


def test_a_server_that_does_not_answer_by_tls_is_named(url: str) -> None:
    port = int(url.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_port = silent.getsockname()[1]
    assert silent_port != port
    with pytest.raises(LocalError, match=r"does not answer by TLS: .*refused"):
        served_certificate.check(f"https://localhost:{silent_port}", end())
