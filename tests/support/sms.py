"""Local servers of the HTTP APIs of Twilio and Amazon SNS, which check what the real ones check."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

ACCOUNT, SECRET, SENDER = f"AC{'0' * 32}", "a-token-of-twilio", "+15005550006"
ACCESS_KEY, SECRET_KEY, REGION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-central-1"

E164 = re.compile(r"\+[1-9]\d{6,14}")

CLOCK_SKEW = timedelta(minutes=5)
"""By which the time of a signature may differ from the server's."""


@dataclass
class Provider:
    """A provider's server.

    Attributes:
        messages: number and text of each message that was taken.
        answers: what to answer instead, one for each request: status and body; nothing for the usual answer; None
            drops the connection once the message is taken.
        wrong: what was wrong with requests.
    """

    url: str = ""
    messages: list[tuple[str, str]] = field(default_factory=list)
    answers: list[tuple[int, str] | tuple[()] | None] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def take(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, str]:
        """Check a request, and return status and body of the answer."""
        raise NotImplementedError

    def refuse(self, status: int, reason: str, body: str) -> tuple[int, str]:
        self.wrong.append(reason)
        return status, body


class Twilio(Provider):
    media_type: ClassVar[str] = "application/json"

    @staticmethod
    def error(status: int, code: int) -> tuple[int, str]:
        return status, json.dumps({"code": code, "message": "…", "more_info": "…", "status": status})

    def take(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, str]:
        if handler.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            return self.refuse(404, handler.path, self.error(404, 20404)[1])
        expected = base64.b64encode(f"{ACCOUNT}:{SECRET}".encode()).decode()
        if handler.headers["Authorization"] != f"Basic {expected}":
            return self.refuse(401, "credentials", self.error(401, 20003)[1])
        if handler.headers["Content-Type"] != "application/x-www-form-urlencoded":
            return self.refuse(415, "content type", self.error(415, 20415)[1])
        form = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
        if form.keys() != {"To", "Body", "From"} or form["From"] != SENDER:
            return self.refuse(400, f"fields {sorted(form)}", self.error(400, 21603)[1])
        if not E164.fullmatch(form["To"]):
            return self.refuse(400, "number", self.error(400, 21211)[1])
        if not 0 < len(form["Body"]) <= 1600:
            return self.refuse(400, "length", self.error(400, 21617)[1])
        self.messages.append((form["To"], form["Body"]))
        return 201, json.dumps({"sid": f"SM{uuid4().hex}", "status": "queued", "error_code": None})


class Sns(Provider):
    media_type: ClassVar[str] = "text/xml"

    @staticmethod
    def error(status: int, code: str, message: str = "…") -> tuple[int, str]:
        inner = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
        return status, f"<ErrorResponse><Error>{inner}</Error><RequestId>{uuid4()}</RequestId></ErrorResponse>"

    def take(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, str]:
        if reason := _wrong_signature(handler, body):
            return self.refuse(403, reason, self.error(403, "SignatureDoesNotMatch")[1])
        form = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
        if (handler.path, form.get("Action"), form.get("Version")) != ("/", "Publish", "2010-03-31"):
            return self.refuse(400, "action", self.error(400, "InvalidAction")[1])
        if not E164.fullmatch(form.get("PhoneNumber", "")):
            message = "Invalid parameter: PhoneNumber Reason: not valid to publish to"
            return self.refuse(400, "number", self.error(400, "InvalidParameter", message)[1])
        kind = {form.get(f"MessageAttributes.entry.1.{name}") for name in ("Name", "Value.StringValue")}
        if kind != {"AWS.SNS.SMS.SMSType", "Transactional"}:
            return self.refuse(400, "attributes", self.error(400, "InvalidParameterValue")[1])
        self.messages.append((form["PhoneNumber"], form["Message"]))
        result = f"<PublishResult><MessageId>{uuid4()}</MessageId></PublishResult>"
        return 200, f'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{result}</PublishResponse>'


def _wrong_signature(handler: BaseHTTPRequestHandler, body: bytes) -> str:
    """Return what is wrong with a signature of version 4, computed anew by another library than the application's."""
    from minio.credentials.credentials import Credentials
    from minio.signer import _sign_v4

    given = handler.headers["Authorization"] or ""
    found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=\S+, SignedHeaders=(\S+), Signature=[0-9a-f]{64}", given)
    stamp = handler.headers["X-Amz-Date"] or ""
    if not found or not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
        return "no signature"
    date = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs(datetime.now(UTC) - date) > CLOCK_SKEW:
        return "time"
    names = found[1].split(";")
    if not {"host", "x-amz-date"} <= set(names):
        return "unsigned headers"
    headers: dict[str, Any] = {name: handler.headers[name] for name in names}
    computed = _sign_v4(
        service_name="sns",
        method="POST",
        url=urlsplit(f"http://{handler.headers['Host']}/"),
        region=REGION,
        headers=headers,
        credentials=Credentials(ACCESS_KEY, SECRET_KEY),
        content_sha256=hashlib.sha256(body).hexdigest(),
        date=date,
    )["Authorization"]
    return "" if computed == given else "signature"


@contextmanager
def provider(kind: type[Provider]) -> Iterator[Any]:
    """Run a provider's server on 127.0.0.1."""
    state = kind()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            planned = state.answers.pop(0) if state.answers else ()
            if planned:
                status, content = planned
            else:
                status, content = state.take(self, body)
            if planned is None:
                self.close_connection = True
                return
            data = content.encode()
            self.send_response(status)
            self.send_header("Content-Type", getattr(state, "media_type", "text/plain"))
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
