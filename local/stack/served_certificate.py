"""Expiry of the certificate that a stack serves.

From phase 2 on a Prometheus watches it too. Here it is looked at from outside: what users get.
"""

from __future__ import annotations

import socket
import ssl
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509

from local.errors import LocalError

SHORTEST = timedelta(days=14)
"""As the alert CertificateExpires has it."""


def check(url: str, now: datetime) -> None:
    """Return when the certificate is good for a while.

    Args:
        url: an address by TLS. Who signed the certificate does not matter.

    Raises:
        LocalError: it ends soon or has ended, or nobody answers there.
    """
    address = urlsplit(url)
    port = address.port or 443
    try:
        with (
            socket.create_connection((str(address.hostname), port), timeout=10) as connection,
            _any_certificate().wrap_socket(connection, server_hostname=address.hostname) as tls,
        ):
            served = tls.getpeercert(binary_form=True)
    except OSError as error:
        raise LocalError(f"{url} does not answer by TLS: {error}") from error
    end = x509.load_der_x509_certificate(served or b"").not_valid_after_utc
    if end - now < SHORTEST:
        raise LocalError(
            f"the certificate that {url} serves ends at {end:%Y-%m-%d %H:%M} UTC: "
            "monitoring/runbooks/CertificateExpires.md says what to do"
        )


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
