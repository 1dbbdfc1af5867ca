"""Header fields of mails: whoever reads them by the RFCs reads what was written."""

import base64
import re
from email import message_from_bytes, policy
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.mail import Mail, SmtpMailer
from app.core.mail_headers import address_field, text_field
from tests.support.settings import make_settings

TITLES = (
    "Ünal garçon niño call señor naïve",
    "Café à Orléans demain matin avec Zoë et Søren, très tôt, naturellement",
    "x " * 98 + "é",
    "日本語の課題 " * 20 + "日本語",
    "two  spaces  and a tail " + "y" * 150,
    "=?utf-8?q?already_encoded?=",
    "wide\u3000space and no\u00a0break",
)
ENCODED_WORD = re.compile(r"=\?([A-Za-z0-9-]+)\?([QqBb])\?([!->@-~]*)\?=")
TEXT = st.text(st.characters(codec="utf-8"), max_size=200)


def words_of(value: str) -> list[str]:
    return [match.group() for match in ENCODED_WORD.finditer(value)]


def decoded(value: str) -> str:
    """Decode an unfolded value by RFC 2047: each word stands for itself, space between two of them is none."""
    text, former_ended_at = "", None
    position = 0
    for match in ENCODED_WORD.finditer(value):
        between = value[position : match.start()]
        if former_ended_at is None or between.strip(" \t"):
            text += between
        charset, encoding, content = match.groups()
        if encoding in "Bb":
            octets = base64.b64decode(content, validate=True)
        else:
            spaced = content.replace("_", " ").encode()
            octets = re.sub(rb"=([0-9A-F]{2})", lambda found: bytes.fromhex(found.group(1).decode()), spaced)
        text += octets.decode(charset)
        position = former_ended_at = match.end()
    return text + value[position:]


def unfolded(field: str, name: str) -> str:
    """Return the value of a field by RFC 5322, section 2.2.3, once its lines are what they must be."""
    assert field.endswith("\r\n")
    assert field.isascii()
    lines = field[:-2].split("\r\n")
    assert not any(set(line) & {"\r", "\n"} for line in lines)
    assert all(line[0] in " \t" and line.strip() for line in lines[1:])
    value = "".join(lines)
    assert value.startswith(f"{name}: ")
    assert all(len(word) <= 75 for word in words_of(value))
    assert all(len(line) <= 76 for line in lines if ENCODED_WORD.search(line))
    assert all(len(line) <= 78 for line in lines)
    return value.removeprefix(f"{name}: ")


@given(text=TEXT)
@example(TITLES[0])
@example(TITLES[1])
@example(TITLES[2])
@example(TITLES[3])
@example(TITLES[4])
@example(TITLES[5])
@example(TITLES[6])
def test_a_subject_is_read_as_it_was_written(text: str) -> None:
    written = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)
    assert decoded(unfolded(text_field("Subject", text), "Subject")) == written


@given(text=st.text("ab ", max_size=200))
@example("milk " + "y" * 100)
def test_ascii_is_folded_at_spaces_and_none_is_lost(text: str) -> None:
    assert decoded(unfolded(text_field("Subject", text), "Subject")) == text


def test_an_ordinary_subject_is_not_encoded() -> None:
    assert text_field("Subject", "Reminder: buy milk") == "Subject: Reminder: buy milk\r\n"
    long = " ".join(["milk"] * 40)
    assert not words_of(text_field("Subject", long))


@given(text=TEXT)
@example("Smith, John. \\ \"the\" 'one' (really) <x@example.org>")
@example("Grüße, Tëam")
@example("=?utf-8?q?x?=")
def test_a_sender_s_name_is_read_as_it_was_written(text: str) -> None:
    name = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).strip()
    field = address_field("From", "noreply@example.org", text)
    value = field[:-2].replace("\r\n", "").removeprefix("From: ")
    if not name:
        assert value == "noreply@example.org"
        return
    phrase, _, mailbox = value.rpartition(" ")
    assert mailbox == "<noreply@example.org>"
    if phrase.startswith('"'):
        assert re.sub(r"\\(.)", r"\1", phrase[1:-1]) == name
    else:
        unfolded(field, "From")
        assert re.fullmatch(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+", phrase)
        assert decoded(phrase) == name


@pytest.mark.parametrize(
    "address", ["", "x", "a b@example.org", "a@example.org\r\nBcc: b@example.org", "ä@example.org"]
)
def test_what_is_no_address_makes_no_field(address: str) -> None:
    try:
        field = address_field("To", address)
    except ValueError:
        return
    # RFC 5322 lets a local part with spaces stand in quotes.
    assert field == 'To: "a b"@example.org\r\n'


@given(text=TEXT | st.sampled_from(["x" * 5000, "ü" * 5000, "From here\n.\n..\n"]))
def test_a_text_is_sent_in_short_lines_of_ascii(text: str) -> None:
    settings = make_settings(
        "sqlite:///:memory:", smtp_host="127.0.0.1", smtp_tls="none", mail_from="n@example.org", public_url="http://x"
    )
    raw = SmtpMailer(settings)._message(Mail("grace@example.org", "x", text), UUID(int=1))
    assert raw.isascii()
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    assert not raw.replace(b"\r\n", b"").count(b"\n")
    read = message_from_bytes(raw, policy=policy.default).get_content()
    sent, got = (re.sub(r"\r\n?", "\n", each).rstrip("\n") for each in (text, read))
    assert got == sent


@pytest.mark.parametrize(("scheme", "one_click"), [("https", True), ("http", False)])
def test_a_mail_that_can_be_unsubscribed_from_says_where(scheme: str, one_click: bool) -> None:
    settings = make_settings(
        "sqlite:///:memory:", smtp_host="127.0.0.1", smtp_tls="none", mail_from="n@example.org", public_url="http://x"
    )
    url = f"{scheme}://tasks.example.org/unsubscribe?token={'x' * 100}"
    raw = SmtpMailer(settings)._message(Mail("grace@example.org", "x", "x", unsubscribe_url=url), UUID(int=1))
    message = message_from_bytes(raw, policy=policy.default)
    assert message["List-Unsubscribe"] == f"<{url}>"
    assert (message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click") == one_click
    plain = message_from_bytes(SmtpMailer(settings)._message(Mail("grace@example.org", "x", "x"), UUID(int=1)))
    assert "List-Unsubscribe" not in plain
