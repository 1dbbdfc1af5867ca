"""Unicode normalisation, comparison and visibility of text."""

import unicodedata

NFC_SHRINKS = 4
"""Code points at most that NFC makes one of (UAX #15): a text this many times too long need not be normalised."""

CONTROL = r"\x00-\x1f\x7f"
"""The C0 controls and DEL, as part of a character class. None of them is in a line of text."""

INVISIBLE = (
    # White_Space, and the C1 controls.
    r"\x20\x80-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    # Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties).
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    # The blank of Braille, and the marks around annotations.
    r"\u2800\ufff9-\ufffb"
)
"""What shows nothing by itself, as part of a character class: a text of nothing else is blank. Beside other characters
it has its uses, as the joiners of emoji and of Persian."""

LINE = rf"[{INVISIBLE}]*[^{INVISIBLE}{CONTROL}][^{CONTROL}]*"
"""One line of text that is not blank. No character fits two neighbouring parts, so matching is linear."""


def nfc(text: str) -> str:
    """Return the text in Normalization Form C (UAX #15), in which every text is stored."""
    return unicodedata.normalize("NFC", text)


def nfd(text: str) -> str:
    """Return the text in Normalization Form D, in which a release before may have stored it."""
    return unicodedata.normalize("NFD", text)


def fold(text: str) -> str:
    """Return the form in which texts are compared: neither case nor spelling plays a part, in any script and on any
    database (canonical caseless matching: The Unicode Standard, section 3.13, D145)."""
    return text.lower() if text.isascii() else nfc(nfd(text).casefold())


def opaque_string(password: str) -> str:
    """Return a password as it is compared: spaces beyond ASCII are spaces, in NFC (RFC 8265, section 4.2.2)."""
    if password.isascii():
        return password
    return nfc("".join(" " if unicodedata.category(each) == "Zs" else each for each in password))


def normalise_email(email: str) -> str:
    """Return the form under which an address is unique: two that differ in case or spelling are one mailbox for
    people."""
    return nfc(nfc(email).strip().lower())
