"""CSV dialects: encoding, delimiter, line ends."""

import re
from dataclasses import dataclass

from app.core.errors import InvalidError

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "windows-1252")
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}

BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}

HINT = re.compile(r'"?sep=([,;\t|])"?\s*', re.IGNORECASE)
"""First line `sep=…`, which gives Excel the separator."""

LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Dialect:
    """Encoding, delimiter and line end of a file.

    Args:
        newline: terminator of a physical line; "\\n" covers CRLF too.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    newline: str = "\n"


@dataclass(frozen=True)
class Start:
    """Dialect hints of the first bytes of a file.

    Args:
        delimiter: that of the `sep=` line; None without one.
        offset, lines: bytes and lines before the header.
    """

    encoding: str
    newline: str
    delimiter: str | None
    offset: int
    lines: int


def start_of(head: bytes, encoding: str | None) -> Start:
    """Detect byte order mark, `sep=` line and line ends of a file.

    Args:
        head: its first bytes.
        encoding: as given by the client; None: by the byte order mark, else UTF-8. Never guessed from the text: a
            wrong guess would corrupt it.

    Raises:
        InvalidError: it looks like UTF-16 without a byte order mark.
    """
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if head.startswith(mark)), None)
    known = encoding or marked
    if known is None and b"\x00" in head[:4]:
        likely = "utf-16-be" if head.startswith(b"\x00") else "utf-16-le"
        raise InvalidError("encoding", f"has no byte order mark, and looks like {likely}: say which encoding it is")
    known = known or "utf-8"
    text = head.decode(known, errors="replace")
    end = LINE_END.search(text)
    first = text[: end.end()] if end else text
    hint = HINT.fullmatch(first.removeprefix("\ufeff"))
    newline = "\r" if end and end[0] == "\r" else "\n"
    if hint is None:
        return Start(known, newline, None, 0, 0)
    return Start(known, newline, hint[1], len(first.encode(known)), 1)
