"""Sanitised file names."""

import re
import unicodedata

LONGEST = 200
"""Bytes of a name, in UTF-8: file systems take 255."""

FALLBACK = "file"
SEPARATORS = re.compile(r"[/\\]")
FORBIDDEN = re.compile(r'[<>:"|?*]')
"""What Windows does not take in a name, separators aside."""

DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that are devices on Windows, whatever follows the first point."""


def safe_name(name: str) -> str:
    """Return a name that any system can store a file under, and that is what it looks like.

    No path, no hidden file, no device; nothing that controls a terminal or turns the direction of writing round, so
    that `gpj.exe` can't pass for a picture. Applied twice it changes nothing more.
    """
    text = SEPARATORS.split(name)[-1]
    text = "".join(letter for letter in text if unicodedata.category(letter)[0] != "C")
    # After that: what stood apart may now belong together.
    text = unicodedata.normalize("NFC", text)
    text = FORBIDDEN.sub("_", " ".join(text.split()))
    text = _short(text.strip(". "))
    if not text:
        return FALLBACK
    return _short(f"_{text}") if DEVICE.fullmatch(text) else text


def _short(text: str) -> str:
    """Cut a name in the middle if it is too long: its ending says what it is."""
    if len(text.encode()) <= LONGEST:
        return text
    stem, point, ending = text.rpartition(".")
    if not point or len(ending.encode()) > LONGEST // 4:
        stem, ending = text, ""
    else:
        ending = f".{ending}"
    kept = stem.encode()[: LONGEST - len(ending.encode())].decode(errors="ignore")
    return f"{kept.rstrip('. ')}{ending}"
