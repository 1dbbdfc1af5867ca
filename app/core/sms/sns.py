"""Adapter of Amazon SNS's Publish (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html, 2010-03-31)."""

import re
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from app.core.clock import Clock
from app.core.errors import UnavailableError
from app.core.sms.http import HttpClient
from app.core.sms.port import SmsRefusedError, SmsUnknownError
from app.core.sms.sigv4 import Credentials, signed_headers

THROTTLED = frozenset({"Throttled", "Throttling", "ThrottlingException", "TooManyRequests"})

MISCONFIGURED = frozenset(
    {
        "AccessDenied", "AuthorizationError", "ExpiredToken", "InvalidClientTokenId", "IncompleteSignature",
        "OptInRequired", "RequestExpired", "SignatureDoesNotMatch",
    }
)  # fmt: skip
"""Codes that are a matter of the settings: what is refused is sent once they are right."""

NAME = re.compile(rb"<MessageId>([^<]{1,100})</MessageId>")
CODE = re.compile(rb"<Code>([^<]{1,100})</Code>")
MESSAGE = re.compile(rb"<Message>([^<]{1,300})</Message>")


class SnsSms:
    """Sends by Amazon SNS. Publish has no idempotency key: a request without an answer is not repeated.

    Args:
        region: such as eu-central-1.
        credentials: of a user that may publish to numbers.
        sender_id: name of the sender, where the country shows one; empty for none.
        clock: time of the signature.
        base_url: of the API; empty for that of the region.
    """

    def __init__(self, region: str, credentials: Credentials, sender_id: str, clock: Clock, base_url: str = "") -> None:
        self._http = HttpClient()
        self._region = region
        self._credentials = credentials
        self._sender_id = sender_id
        self._clock = clock
        self._url = f"{base_url or f'https://sns.{region}.amazonaws.com'}/"

    def send(self, number: str, text: str) -> str:
        attributes = {"AWS.SNS.SMS.SMSType": "Transactional"}
        if self._sender_id:
            attributes["AWS.SNS.SMS.SenderID"] = self._sender_id
        form = {"Action": "Publish", "Version": "2010-03-31", "PhoneNumber": number, "Message": text}
        for index, (name, value) in enumerate(attributes.items(), 1):
            entry = f"MessageAttributes.entry.{index}"
            form |= {f"{entry}.Name": name, f"{entry}.Value.DataType": "String", f"{entry}.Value.StringValue": value}
        body = urlencode(form).encode()
        headers = {
            "Host": urlsplit(self._url).netloc,
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        }
        headers = signed_headers(self._credentials, self._region, "sns", headers, body, self._clock())
        status, content = self._http.post(self._url, body, headers)
        if status == HTTPStatus.OK and (taken := NAME.search(content)):
            return taken[1].decode(errors="replace")
        code = found[1].decode(errors="replace") if (found := CODE.search(content)) else ""
        if code in THROTTLED or status == HTTPStatus.TOO_MANY_REQUESTS:
            raise UnavailableError("Amazon SNS takes no more messages at the moment.")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.BAD_REQUEST:
            raise SmsUnknownError(f"Amazon SNS answered {status}")
        if code in MISCONFIGURED or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise UnavailableError(f"Amazon SNS refuses the account ({status}, {code}).")
        raise SmsRefusedError(f"refused by Amazon SNS ({status}, {code})", number=_is_numbers(code, content))


def _is_numbers(code: str, content: bytes) -> bool:
    """Return whether the number is the reason: SNS says so in the message alone."""
    message = found[1] if (found := MESSAGE.search(content)) else b""
    return code == "OptedOut" or (
        code in ("InvalidParameter", "InvalidParameterValue") and (b"PhoneNumber" in message or b"opted out" in message)
    )
