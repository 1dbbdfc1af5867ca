"""An Amazon SNS topic: a certificate, and messages signed by it."""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

ARN = "arn:aws:sns:eu-central-1:123456789012:mail-bounces"
HOST = "https://sns.eu-central-1.amazonaws.com"
CERTIFICATE_URL = f"{HOST}/SimpleNotificationService-{'0' * 32}.pem"
SUBSCRIBE_URL = f"{HOST}/?Action=ConfirmSubscription&TopicArn={ARN}&Token={'1' * 64}"


def _key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@dataclass
class Topic:
    """A topic.

    Attributes:
        fetched: the URLs that were asked for.
    """

    key: RSAPrivateKey = field(default_factory=_key)
    fetched: list[str] = field(default_factory=list)
    valid_until: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(days=1))

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        return self.certificate() if url == CERTIFICATE_URL else b"<ConfirmSubscriptionResponse/>"

    def certificate(self) -> bytes:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.valid_until - timedelta(days=30))
            .not_valid_after(self.valid_until)
        )
        return built.sign(self.key, SHA256()).public_bytes(Encoding.PEM)

    def notification(self, notice: dict[str, Any], **change: str) -> dict[str, str]:
        """Return the message of a notice, signed; `change` is made before that."""
        return self.signed({"Type": "Notification", "Message": json.dumps(notice), **change})

    def confirmation(self, **change: str) -> dict[str, str]:
        """Return the message that asks whether the topic may send here."""
        token = {"Message": "You have chosen to subscribe", "Token": "1" * 64, "SubscribeURL": SUBSCRIBE_URL}
        return self.signed({"Type": "SubscriptionConfirmation", **token, **change})

    def signed(self, message: dict[str, str]) -> dict[str, str]:
        whole = {
            "MessageId": str(uuid4()),
            "TopicArn": ARN,
            "Timestamp": datetime.now(UTC).isoformat(),
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE_URL,
            **message,
        }
        # Byte order of the names, as Amazon's documentation has it.
        unsigned = {"SignatureVersion", "SigningCertURL"}
        text = "".join(f"{name}\n{whole[name]}\n" for name in sorted(whole.keys() - unsigned))
        return {**whole, "Signature": base64.b64encode(self.key.sign(text.encode(), PKCS1v15(), SHA256())).decode()}
