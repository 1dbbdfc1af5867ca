"""Text: Unicode normalisation, comparison, and invisible characters."""

import unicodedata

NFC_SHRINKS = 4
"""Maximum number of code points that NFC composes into one (UAX #15): a text longer than this multiple of its limit is
rejected before it is normalised."""

CONTROL = r"\x00-\x1f\x7f"
"""The C0 controls and DEL, which a line of text must not contain; part of a character class."""

INVISIBLE = (
    # White_Space, and the C1 controls.
    r"\x20\x80-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    # Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties).
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    # The blank of Braille, and the marks around annotations.
    r"\u2800\ufff9-\ufffb"
)
"""Characters invisible by themselves: a text of only these is blank. Beside others they have their uses, such as the
joiners in emoji and Persian. Part of a character class."""

LINE = rf"[{INVISIBLE}]*[^{INVISIBLE}{CONTROL}][^{CONTROL}]*"
"""A non-blank line of text. No character matches two adjacent parts, so matching is linear."""


def nfc(text: str) -> str:
    """Return the text in Normalization Form C (UAX #15), the form of stored text."""
    return unicodedata.normalize("NFC", text)


def nfd(text: str) -> str:
    """Return the text in Normalization Form D, in which an earlier release may have stored it."""
    return unicodedata.normalize("NFD", text)


def fold(text: str) -> str:
    """Return the form for comparison without case and normalisation differences, in any script and on any database
    (canonical caseless matching: The Unicode Standard, section 3.13, D145)."""
    return text.lower() if text.isascii() else nfc(nfd(text).casefold())


def opaque_string(password: str) -> str:
    """Prepare a password for hashing: non-ASCII spaces become spaces, then NFC (RFC 8265, section 4.2.2)."""
    if password.isascii():
        return password
    return nfc("".join(" " if unicodedata.category(each) == "Zs" else each for each in password))


def normalise_email(email: str) -> str:
    """Return the form in which an address is unique: in NFC, stripped, lower case."""
    return nfc(nfc(email).strip().lower())
