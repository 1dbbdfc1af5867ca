"""AWS Signature Version 4 of a POST to the root of a service
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Credentials:
    access_key: str
    secret_key: str


def signed_headers(
    credentials: Credentials, region: str, service: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> dict[str, str]:
    """Return the headers of the request with its signature.

    Args:
        credentials, region, service: as AWS names them.
        headers: with Host; all of them are signed.
        body: of the request.
        now: the current time.
    """
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    signed = {**{name.lower(): value for name, value in headers.items()}, "x-amz-date": stamp}
    names = ";".join(sorted(signed))
    canonical = "\n".join(
        ("POST", "/", "", *(f"{name}:{signed[name].strip()}" for name in sorted(signed)), "", names, _hash(body))
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join((ALGORITHM, stamp, scope, _hash(canonical.encode())))
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"{credentials.access_key}/{scope}"
    authorization = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "X-Amz-Date": stamp, "Authorization": authorization}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
