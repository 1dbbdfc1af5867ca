"""Sanitised file names."""

import re
import unicodedata

LONGEST = 200
"""Bytes of a name, in UTF-8: file systems allow 255."""

FALLBACK = "file"
SEPARATORS = re.compile(r"[/\\]")
FORBIDDEN = re.compile(r'[<>:"|?*]')
"""Characters besides separators that Windows forbids in a name."""

DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Device names on Windows, with any extension."""


def safe_name(name: str) -> str:
    """Return a name that is valid on every operating system and can't mislead its reader.

    No path, hidden file or device name; no control characters and no bidirectional overrides, by which `gpj.exe` could
    be displayed as a picture. Idempotent.
    """
    text = SEPARATORS.split(name)[-1]
    text = "".join(letter for letter in text if unicodedata.category(letter)[0] != "C")
    # After the removal of control characters: characters that they separated may now compose.
    text = unicodedata.normalize("NFC", text)
    text = FORBIDDEN.sub("_", " ".join(text.split()))
    text = _short(text.strip(". "))
    if not text:
        return FALLBACK
    return _short(f"_{text}") if DEVICE.fullmatch(text) else text


def _short(text: str) -> str:
    """Shorten a name that is too long, but keep its extension."""
    if len(text.encode()) <= LONGEST:
        return text
    stem, point, extension = text.rpartition(".")
    if not point or len(extension.encode()) > LONGEST // 4:
        stem, extension = text, ""
    else:
        extension = f".{extension}"
    shortened = stem.encode()[: LONGEST - len(extension.encode())].decode(errors="ignore")
    return f"{shortened.rstrip('. ')}{extension}"
