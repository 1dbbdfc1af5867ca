"""Verification of the HTTP messages of an Amazon SNS topic
(https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html)."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import urllib3
from cachetools import TTLCache
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate
from urllib3.exceptions import HTTPError

from app.core.clock import Clock
from app.core.errors import ForbiddenError, UnavailableError

HOST = r"https://sns\.([a-z0-9-]{1,40})\.amazonaws\.com(?:\.cn)?"
CERTIFICATE_URL = re.compile(HOST + r"/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem", re.ASCII)
SUBSCRIBE_URL = re.compile(HOST + r"/\?[A-Za-z0-9_.~:%&=+-]{1,2000}", re.ASCII)

CONFIRMATION = "SubscriptionConfirmation"

SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
"""Signed fields of each type of message that is read, in order; Subject may be absent."""

TIMEOUT = 5
"""Seconds for a certificate or a confirmation."""

LARGEST = 64 << 10

Fetch = Callable[[str], bytes]


class SnsTopic:
    """Reads the messages of one topic. Their signature must be of version 2 (SHA-256), an attribute of the topic.

    Args:
        arn: of the topic; messages of others are refused.
        clock: for the validity of certificates.
        fetch: returns the content of a URL.
    """

    def __init__(self, arn: str, clock: Clock, fetch: Fetch | None = None) -> None:
        self._arn = arn
        self._region = arn.split(":")[3]
        self._clock = clock
        self._fetch = fetch or fetch_url
        self._keys: TTLCache[str, RSAPublicKey] = TTLCache(maxsize=8, ttl=24 * 3600)

    def read(self, message: Mapping[str, Any]) -> str | None:
        """Return the text of a notification; None for a subscription, which is confirmed.

        Raises:
            ForbiddenError: the message is not the topic's.
            UnavailableError: Amazon can't be asked for the certificate, or to confirm.
        """
        names = SIGNED.get(str(message.get("Type")), ())
        if not names or message.get("TopicArn") != self._arn or message.get("SignatureVersion") != "2":
            raise _foreign()
        text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
        try:
            signature = base64.b64decode(str(message.get("Signature")), validate=True)
            self._key(str(message.get("SigningCertURL"))).verify(signature, text.encode(), PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error):
            raise _foreign() from None
        if message["Type"] == CONFIRMATION:
            self._fetch(self._own(SUBSCRIBE_URL, str(message.get("SubscribeURL"))))
            return None
        return str(message.get("Message"))

    def _key(self, url: str) -> RSAPublicKey:
        if (known := self._keys.get(self._own(CERTIFICATE_URL, url))) is not None:
            return known
        try:
            certificate = load_pem_x509_certificate(self._fetch(url))
        except ValueError:
            raise _foreign() from None
        key, now = certificate.public_key(), self._clock().astimezone(UTC)
        if not isinstance(key, RSAPublicKey) or not _valid(certificate, now):
            raise _foreign()
        self._keys[url] = key
        return key

    def _own(self, pattern: re.Pattern[str], url: str) -> str:
        """Return a URL if it is Amazon's, in the topic's region."""
        found = pattern.fullmatch(url)
        if found is None or found[1] != self._region:
            raise _foreign()
        return url


def fetch_url(url: str) -> bytes:
    """Return the content of a URL. Raises UnavailableError."""
    try:
        answer = urllib3.request("GET", url, timeout=TIMEOUT, retries=False, redirect=False, preload_content=False)
        try:
            content: bytes = answer.read(LARGEST)
        finally:
            answer.close()
    except (HTTPError, OSError) as error:
        raise UnavailableError("Amazon SNS can't be reached.") from error
    if answer.status != 200:
        raise UnavailableError(f"Amazon SNS answered {answer.status}.")
    return content


def _valid(certificate: Any, now: datetime) -> bool:
    return bool(certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc)


def _foreign() -> ForbiddenError:
    return ForbiddenError("The message is not one of the topic's.")
