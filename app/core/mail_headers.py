"""Header fields of mails, folded and encoded (RFC 5322, RFC 2047).

Not by `EmailMessage`: on Python 3.11 it loses the spaces between encoded words and makes encoded words of more than 75
characters (cpython issues 92081 and 144156).
"""

import re
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.utils import quote

EOL = "\r\n"
WIDTH = 76
"""Maximum length of a line with an encoded word, characters (RFC 2047, section 2)."""

BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""Line breaks and control characters."""

ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""A phrase of atoms, which needs no quotes (RFC 5322, section 3.2.5)."""

LONGEST_WORD = 60
"""Characters of a word that fits on a line beside the field's name."""


def text_field(name: str, text: str) -> str:
    """Return an unstructured field, such as a subject, with its line break.

    Args:
        name: of the field.
        text: any text. Line breaks and control characters become spaces; all else is preserved.
    """
    line = BREAKS.sub(" ", text)
    return f"{name}: {_plain(name, line) or _encoded(name, line)}{EOL}"


def address_field(name: str, address: str, display_name: str = "") -> str:
    """Return a field with one mailbox, with its line break.

    Args:
        name: of the field.
        address: a mailbox, in ASCII.
        display_name: the mailbox owner's name.

    Raises:
        ValueError: the address is malformed.
    """
    user, _, domain = address.rpartition("@")
    try:
        mailbox = Address(username=user, domain=domain).addr_spec
    except HeaderParseError as error:
        raise ValueError("not an e-mail address") from error
    if not re.fullmatch(r"[!-~]+@[!-~]+", mailbox):
        raise ValueError("not an e-mail address")
    phrase = BREAKS.sub(" ", display_name).strip()
    if not phrase:
        return f"{name}: {mailbox}{EOL}"
    if ATOMS.fullmatch(phrase) and "=?" not in phrase:
        shown = phrase
    elif phrase.isascii() and "=?" not in phrase:
        shown = f'"{quote(phrase)}"'
    else:
        shown = _encoded(name, phrase)
    fits = len(name) + len(shown.rpartition(EOL)[2]) + len(mailbox) + len(":  <>") <= WIDTH
    return f"{name}: {shown}{'' if fits else EOL} <{mailbox}>{EOL}"


def _plain(name: str, line: str) -> str | None:
    """Return the line unencoded, folded at spaces; None where it has to be encoded."""
    words = line.split(" ")
    if not line.isascii() or "=?" in line or not all(0 < len(word) <= LONGEST_WORD for word in words):
        return None
    return Header(line, "us-ascii", WIDTH, name).encode(" ", linesep=EOL)


def _encoded(name: str, text: str) -> str:
    return Header(text, "utf-8", WIDTH, name).encode(linesep=EOL)
