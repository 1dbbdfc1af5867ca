"""Buffer of a request that has not arrived completely."""

import re

HEADER_LIMIT = 1 << 16
"""Maximum size of request line and header together, bytes."""

BODY_LIMIT = 1 << 20
"""Maximum size of a body that is buffered before a thread serves the request, bytes; a longer one the thread reads."""

REQUEST_LINE_LIMIT = 8190

_END = b"\r\n\r\n"

# Headers that frame the body, and Expect, with which a client waits for `100 Continue` before it sends one.
_FRAMING = re.compile(
    rb"\r\n(?:content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*(?=\r\n)|transfer-encoding[ \t]*:|expect[ \t]*:)",
    re.IGNORECASE,
)


class PartialRequest:
    """Buffers a request until a thread can serve it.

    It only finds out how many bytes are needed: a malformed request goes to a thread at once, for gunicorn's parser to
    reject.
    """

    __slots__ = ("_needed", "data")

    def __init__(self) -> None:
        self.data = bytearray()
        self._needed: int | None = None

    def add(self, data: bytes) -> bool:
        """Buffer bytes, and return whether a thread can serve the request: header and short body are complete."""
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
        """Whether the header exceeds HEADER_LIMIT."""
        return self._needed is None and len(self.data) > HEADER_LIMIT

    def _malformed(self) -> bool:
        # RFC 9112 section 2.2: lines end with CRLF. With bare LF the end of the header would never be found.
        if self.data.count(b"\n") != self.data.count(b"\r\n"):
            return True
        return len(self.data) > REQUEST_LINE_LIMIT + 2 and self.data.find(b"\r\n", 2, REQUEST_LINE_LIMIT + 4) < 0


def _short_body(data: bytearray, end: int) -> int:
    """Return the length of a body to be buffered; 0 if it is long, chunked, or waits for `100 Continue`."""
    length = 0
    for found in _FRAMING.finditer(data, 0, end + 2):
        if found[1] is None:
            return 0
        length = int(found[1])
    return length if length <= BODY_LIMIT else 0
