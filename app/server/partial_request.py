"""A request whose bytes have not all arrived."""

import re

HEADER_LIMIT = 1 << 16
"""Bytes of a request line and header together."""

BODY_LIMIT = 1 << 20
"""Bytes of a body that is gathered before a thread takes the request; a longer one is read by the thread."""

REQUEST_LINE_LIMIT = 8190

_END = b"\r\n\r\n"

# What the framing of a body hangs on, and what makes a client wait for `100 Continue` before it sends one.
_FRAMING = re.compile(
    rb"\r\n(?:content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*(?=\r\n)|transfer-encoding[ \t]*:|expect[ \t]*:)",
    re.IGNORECASE,
)


class PartialRequest:
    """Gathers a request until a thread can take it.

    It says only how much there has to be: what is malformed goes to a thread at once, for gunicorn's parser to refuse.
    """

    __slots__ = ("_needed", "data")

    def __init__(self) -> None:
        self.data = bytearray()
        self._needed: int | None = None

    def add(self, data: bytes) -> bool:
        """Take bytes, and say whether a thread can take the request: it would not have to wait for more of a header,
        nor of a body that is short.
        """
        searched = max(0, len(self.data) - len(_END) + 1)
        self.data += data
        if self._needed is None:
            end = self.data.find(_END, searched)
            if end < 0:
                return self._malformed()
            self._needed = end + len(_END) + _short_body(self.data, end)
        return len(self.data) >= self._needed

    @property
    def header_complete(self) -> bool:
        return self._needed is not None

    @property
    def too_long(self) -> bool:
        """Whether the header is longer than it may be."""
        return self._needed is None and len(self.data) > HEADER_LIMIT

    def _malformed(self) -> bool:
        # RFC 9112 section 2.2: lines end with CRLF. With a bare LF the end would never come.
        if self.data.count(b"\n") != self.data.count(b"\r\n"):
            return True
        return len(self.data) > REQUEST_LINE_LIMIT + 2 and self.data.find(b"\r\n", 2, REQUEST_LINE_LIMIT + 4) < 0


def _short_body(data: bytearray, end: int) -> int:
    """Return the length of the body, if it has to be gathered: 0 for one that is long, chunked or still asked for."""
    length = 0
    for found in _FRAMING.finditer(data, 0, end + 2):
        if found[1] is None:
            return 0
        length = int(found[1])
    return length if length <= BODY_LIMIT else 0
