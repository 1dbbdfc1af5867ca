"""Content types by content, never by what the sender says."""

import codecs

SEEN = 4096
"""Bytes of a file that are looked at."""

BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)


def content_type(beginning: bytes) -> str:
    """Return the media type of a file that begins like this.

    All text is plain text, pages and drawings (HTML, SVG) among it: nothing that came as a file shall run anywhere.

    Args:
        beginning: its first SEEN bytes.
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
        # not final: the last character may be cut off
        codecs.getincrementaldecoder("utf-8")().decode(data, final=False)
    except UnicodeDecodeError:
        return False
    return True
