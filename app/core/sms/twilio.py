"""Adapter of Twilio's Messages API (https://www.twilio.com/docs/messaging/api/message-resource, 2010-04-01)."""

import base64
import json
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from app.core.errors import UnavailableError
from app.core.sms.http import HttpClient
from app.core.sms.port import SmsRefusedError, SmsUnknownError

BASE_URL = "https://api.twilio.com"

NUMBER_ERRORS = MappingProxyType(
    {
        21211: "no such number",
        21214: "number can't be reached",
        21217: "no such number",
        21408: "country is not served",
        21610: "recipient has opted out",
        21612: "number can't be reached",
        21614: "not a mobile number",
    }
)
"""Error codes that are the number's (https://www.twilio.com/docs/api/errors)."""


class TwilioSms:
    """Sends by Twilio. There is no idempotency key: a request without an answer is not repeated.

    Args:
        account: SID of the account.
        token: its auth token.
        sender: number in E.164, or SID of a messaging service.
        base_url: of the API.
    """

    def __init__(self, account: str, token: str, sender: str, base_url: str = BASE_URL) -> None:
        self._http = HttpClient()
        self._url = f"{base_url}/2010-04-01/Accounts/{account}/Messages.json"
        self._authorization = f"Basic {base64.b64encode(f'{account}:{token}'.encode()).decode()}"
        self._sender = {"MessagingServiceSid" if sender.startswith("MG") else "From": sender}

    def send(self, number: str, text: str) -> str:
        headers = {"Authorization": self._authorization, "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode({"To": number, "Body": text, **self._sender}).encode()
        status, content = self._http.post(self._url, body, headers)
        answer = _parsed(content)
        if status == HTTPStatus.CREATED:
            return str(answer.get("sid", ""))[:100]
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise UnavailableError("Twilio takes no more messages at the moment.")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.BAD_REQUEST:
            raise SmsUnknownError(f"Twilio answered {status}")
        code = answer.get("code")
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            # A matter of the settings: sent once they are right.
            raise UnavailableError(f"Twilio refuses the account ({status}, {code}).")
        if isinstance(code, int) and code in NUMBER_ERRORS:
            raise SmsRefusedError(f"{NUMBER_ERRORS[code]} (Twilio {code})", number=True)
        raise SmsRefusedError(f"refused by Twilio ({status}, {code})", number=False)


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
