"""Requests that no client would send: raw bytes, other encodings, half surrogate pairs and long strings, in whatever
part of a request there is room for them."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes
from uuid import uuid4

LONG = 30_000
"""Characters of a long string."""

ENCODINGS = [*["utf-8"] * 12, "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"]
HEADERS = ["Accept", "Authorization", "Cookie", "Idempotency-Key", "If-Match", "If-None-Match", "Range", "Traceparent"]
NUMBERS = [b"1e400", b"-1e400", b"1E-999999", b"9" * 5000, b"NaN", b"-Infinity", b"1e9", b"0.1", b"-0", b"00"]


@dataclass(frozen=True)
class Operation:
    """An operation of the OpenAPI document.

    Attributes:
        fields: the names that its JSON body has.
        form: whether it takes a file in a form.
    """

    method: str
    path: str
    parameters: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    form: bool = False


def operations(document: dict[str, Any], leave_out: tuple[str, ...]) -> list[Operation]:
    """Return the operations of an OpenAPI document, but for those of some identifiers."""
    return [
        Operation(
            method.upper(),
            path,
            [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"],
            _fields(document, operation),
            "multipart/form-data" in operation.get("requestBody", {}).get("content", {}),
        )
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if operation["operationId"] not in leave_out
    ]


def _fields(document: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    """Return the names that a JSON body has, in whatever alternative of its schema."""
    found: set[str] = set()
    pending = [operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})]
    while pending:
        schema = pending.pop()
        if name := schema.get("$ref", "").rpartition("/")[2]:
            pending.append(document["components"]["schemas"][name])
        pending += [*schema.get("oneOf", []), *schema.get("anyOf", [])]
        found |= schema.get("properties", {}).keys()
    return sorted(found)


class RawRequests:
    """Makes requests up, the same for the same seed.

    Args:
        seed: for the random numbers.
        host: for the header of that name.
        token: an access token, sent with most of them; None sends none.
    """

    def __init__(self, seed: int, host: str, token: str | None) -> None:
        self._random = random.Random(seed)  # noqa: S311 no secret
        self._host = host
        self._token = token

    def request(self, operation: Operation) -> bytes:
        """Return the bytes of a request."""
        path = operation.path
        while "{" in path:
            before, _, rest = path.partition("{")
            path = f"{before}{self._in_url()}{rest.partition('}')[2]}"
        chosen = [name for name in operation.parameters if self._random.random() < 0.5]
        query = "&".join(f"{name}={self._in_url()}" for name in [*chosen, *self._sometimes("q")])
        content_type, body = self._form() if operation.form else ("application/json", self._json(operation.fields))
        if operation.method in ("GET", "DELETE") and self._random.random() < 0.9:
            body = b""
        lines = [
            f"{operation.method} {path}?{query} HTTP/1.1".encode("latin-1")[:8000],
            f"Host: {self._host}".encode(),
            b"Connection: close",
        ]
        if body:
            lines += [f"Content-Type: {content_type}".encode(), f"Content-Length: {len(body)}".encode()]
        if self._token and self._random.random() < 0.9:
            lines.append(f"Authorization: Bearer {self._token}".encode())
        for name in self._sometimes(self._random.choice(HEADERS)):
            lines.append(f"{name}: ".encode() + self._in_header())
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def _sometimes(self, name: str) -> list[str]:
        return [name] if self._random.random() < 0.3 else []

    def _bytes(self, most: int = 40) -> bytes:
        return self._random.randbytes(self._random.randint(1, most))

    def _text(self) -> str:
        """Return a text, perhaps one that has no UTF-8."""
        kinds: list[Callable[[], str]] = [
            lambda: "".join(chr(self._random.randrange(0xD800)) for _ in range(self._random.randint(1, 30))),
            lambda: chr(self._random.randrange(0xD800, 0xE000)),
            lambda: (
                self._random.choice("a @.-:/\u00a0\u0301\u00df\ufdfa\u200b") * self._random.choice([1, 50, 200, LONG])
            ),
            lambda: f"{self._random.choice('a @') * LONG}{chr(self._random.randrange(32))}",
            lambda: chr(self._random.randrange(32)),
            lambda: str(uuid4()),
            lambda: f"{self._random.randrange(100)}@example.com",
            lambda: self._random.choice(
                ["todo", "set_status", "add_tags", "remove_tags", "delete", "title", "", "null"]
            ),
            lambda: self._random.choice(
                ["9999-12-31T23:59:59.999999999-23:59", "0001-01-01T00:00:00+14:00", "2030-W53"]
            ),
            lambda: "9" * self._random.choice([1, 20, 5000]),
        ]
        return self._random.choice(kinds)()

    def _in_url(self) -> str:
        """Return a part of a URL: percent-encoded bytes of any kind, or raw ones."""
        raw = self._bytes() if self._random.random() < 0.1 else self._text()[:300].encode("utf-8", "surrogatepass")
        if self._random.random() < 0.3:
            return "".join(chr(each) for each in raw if each > 0x20 and each not in b"?#&=%{}\x7f") or "x"
        return quote_from_bytes(raw, safe="")

    def _in_header(self) -> bytes:
        return bytes(each for each in self._bytes(200) if each >= 0x20) or b"x"

    def _value(self, depth: int = 0) -> Any:
        kinds: list[Callable[[], Any]] = [self._text, self._text, self._text, lambda: None, lambda: True, lambda: 2**70]
        if depth < 3:
            kinds += [
                lambda: [self._value(depth + 1) for _ in range(self._random.randint(0, 4))],
                lambda: [str(uuid4()) for _ in range(self._random.randint(1, 120))],
                lambda: {self._text(): self._value(depth + 1)},
            ]
        return self._random.choice(kinds)()

    def _json(self, fields: list[str]) -> bytes:
        kinds: list[Callable[[], bytes]] = [
            lambda: self._bytes(200),
            lambda: self._random.choice([b"[", b'{"a":', b"[{"]) * self._random.choice([10, 100_000]),
            lambda: b'{"%s":%s}' % (self._random.choice(fields or ["x"]).encode(), self._random.choice(NUMBERS)),
            lambda: b"{%s}" % b",".join(b'"%d":1' % number for number in range(80_000)),
            *([lambda: self._object(fields)] * 12),
        ]
        return self._random.choice(kinds)()

    def _object(self, fields: list[str]) -> bytes:
        names = [name for name in fields if self._random.random() < 0.8] + self._sometimes(self._text())
        text = json.dumps({name: self._value() for name in names}, ensure_ascii=self._random.random() < 0.5)
        body = bytearray(text.encode(self._random.choice(ENCODINGS), "surrogatepass" if "\\" in text else "replace"))
        if body and self._random.random() < 0.1:
            body[self._random.randrange(len(body))] = self._random.randrange(256)
        return bytes(body)[: 1 << 20]

    def _form(self) -> tuple[str, bytes]:
        boundary = self._random.choice(["b", "x" * 70])
        name = self._random.choice([b"file", b"file", b"file", self._in_header()])
        content = self._random.choice([b"title\n", b"title,tags\n", b"\x89PNG\r\n\x1a\n", b""]) + self._bytes(2000)
        head = b'Content-Disposition: form-data; name="%s"; filename="%s"\r\n' % (name, self._in_header())
        end = b"--%s--\r\n" % boundary.encode() if self._random.random() < 0.8 else b""
        return f"multipart/form-data; boundary={boundary}", b"--%s\r\n%s\r\n%s\r\n%s" % (
            boundary.encode(),
            head,
            content,
            end,
        )
