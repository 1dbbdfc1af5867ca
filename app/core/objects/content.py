"""Content-type detection by content, never by the client's claim."""

import codecs

SEEN = 4096
"""Bytes of a file that are examined."""

BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
"""Magic bytes, and the media type of files that begin with them."""


def content_type(beginning: bytes) -> str:
    """Return the media type of a file.

    All text is text/plain, including HTML and SVG: no browser must execute an uploaded file.

    Args:
        beginning: first SEEN bytes of the file.
    """
    for magic, kind in BEGINNINGS:
        if beginning.startswith(magic):
            return kind
    if beginning.startswith(b"RIFF") and beginning[8:12] == b"WEBP":
        return "image/webp"
    return "text/plain" if _is_text(beginning) else "application/octet-stream"


def _is_text(data: bytes) -> bool:
    if b"\0" in data:
        return False
    try:
        # final=False: the last character may be truncated
        codecs.getincrementaldecoder("utf-8")().decode(data, final=False)
    except UnicodeDecodeError:
        return False
    return True
